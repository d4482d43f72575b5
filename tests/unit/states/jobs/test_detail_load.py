"""Checks what the head of the job page offers, and that it shows the program of the adapter's own card."""

from datetime import UTC, datetime

import pytest

from jobs.trainer.oom_recovery import MemorySettings, OutOfMemory, reduce_memory
from jobs.trainer.train_result import failed_result
from orchestrator.domain.failures import FailureKind
from orchestrator.domain.models import VideoModel
from orchestrator.domain.tasks import ModelType
from orchestrator.domain.training_jobs import JobStatus, TrainingJob
from orchestrator.domain.users import Actor
from orchestrator.services.db import session_scope
from orchestrator.services.training import lifecycle
from orchestrator.services.workers import beat
from orchestrator.states.jobs.detail_load import program_of, visit_job
from orchestrator.states.jobs.rows import job_head
from tests.studio import launch, make_things


def test_the_first_python_block_of_the_card() -> None:
    card = "# run\n\n```\nnot this\n```\n\n```python\nimport sys\nprint(sys.argv)\n```\nmore\n```python\nno\n```\n"
    assert program_of(card) == "import sys\nprint(sys.argv)"


def test_a_card_without_a_program() -> None:
    assert program_of("# run\n") == ""


ILLEGAL = RuntimeError("CUDA error: an illegal memory access was encountered")


def raised(settings: MemorySettings, is_contrastive: bool) -> OutOfMemory:
    with pytest.raises(OutOfMemory) as caught:
        reduce_memory(settings, is_contrastive, can_checkpoint=True)
    return caught.value


@pytest.mark.parametrize(
    ("error", "offered"),
    [
        (raised(MemorySettings(8, 1, checkpointing=True, chunk=1), is_contrastive=True), True),
        (raised(MemorySettings(1, 8, checkpointing=True), is_contrastive=False), False),
        (MemoryError(), False),
        (ILLEGAL, False),
    ],
    ids=["batch was not divided", "nothing left to divide", "before the training", "illegal memory access"],
)
def test_a_smaller_batch_is_offered_only_where_it_may_help(ada: Actor, error: Exception, offered: bool) -> None:
    job_id = launch(ada, make_things(ada))
    result = failed_result(error)
    assert "memory" in result.error
    assert result.failure is not None
    with session_scope() as session:
        assert lifecycle.claim(session, job_id, 1, "w")
        assert lifecycle.fail(session, job_id, 1, result.failure, result.error)
    with session_scope() as session:
        assert job_head(visit_job(session, ada, job_id).row).smaller_batch == (8 if offered else 0)


def test_the_text_of_an_error_alone_offers_nothing(ada: Actor) -> None:
    job_id = launch(ada, make_things(ada))
    with session_scope() as session:
        assert lifecycle.claim(session, job_id, 1, "w")
        message = "memory, so the job was not started again"
        assert lifecycle.fail(session, job_id, 1, FailureKind.CRASH, message)
    with session_scope() as session:
        head = job_head(visit_job(session, ada, job_id).row)
    assert (head.error, head.smaller_batch, head.lost_repeatedly) == (message, 0, False)


def test_a_smaller_batch_changes_the_training_of_a_retriever(ada: Actor) -> None:
    things = make_things(ada)
    job_id = launch(ada, things)
    contrasts = {}
    for kind in (ModelType.CLASSIFICATION, ModelType.RETRIEVAL):
        with session_scope() as session:
            session.get_one(VideoModel, things[1]).model_type = kind
            session.get_one(TrainingJob, job_id).status = JobStatus.FAILED
        with session_scope() as session:
            contrasts[kind] = visit_job(session, ada, job_id).contrasts
    assert contrasts == {ModelType.CLASSIFICATION: False, ModelType.RETRIEVAL: True}


def test_a_running_job_has_the_device_of_its_worker(ada: Actor) -> None:
    job_id = launch(ada, make_things(ada))
    with session_scope() as session:
        assert lifecycle.claim(session, job_id, 1, "w1")
        stats = {"memory_used": 1, "memory_total": 1 << 33, "cores": 4}
        now = datetime.now(UTC)
        beat(
            session,
            "w1",
            host="lab",
            device="CPU, 4 cores",
            device_class="cpu",
            pid=1,
            job_id=job_id,
            stats=stats,
            started_at=now,
        )
    with session_scope() as session:
        visit = visit_job(session, ada, job_id)
    assert (visit.device.worker, visit.device.memory_total) == ("w1", 1 << 33)
    assert visit.load == ()
