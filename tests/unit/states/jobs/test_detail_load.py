"""Checks what the head of the job page offers, and that it shows the program of the adapter's own card."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from jobs.trainer.oom_recovery import Easing, OutOfMemory, ease
from orchestrator.domain.models import ModelType, VideoModel
from orchestrator.domain.training_jobs import JobStatus, TrainingJob
from orchestrator.domain.users import Actor
from orchestrator.services.db import session_scope
from orchestrator.services.training.rows import JobRow
from orchestrator.states.jobs.detail_load import program_of, visit_job
from orchestrator.states.jobs.rows import job_head
from tests.studio import launch, make_things


def test_the_first_python_block_of_the_card() -> None:
    card = "# run\n\n```\nnot this\n```\n\n```python\nimport sys\nprint(sys.argv)\n```\nmore\n```python\nno\n```\n"
    assert program_of(card) == "import sys\nprint(sys.argv)"


def test_a_card_without_a_program() -> None:
    assert program_of("# run\n") == ""


def test_half_the_batch_is_not_offered_where_nothing_was_left_to_divide() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    row = JobRow(
        id=1, name="run", status="failed", owner_id=1, dataset_id=1, dataset_name="d", model_id=1, model_name="m",
        step=3, total_steps=9, epoch=0.1, epochs=1, progress=0.3, summary={}, error="CUDA ran out of memory.",
        error_details="", created_at=now, started_at=now, finished_at=now, eta_s=None, recipe={}, worker="",
        attempt=1, active=False,
    )  # fmt: skip
    assert job_head(row).out_of_memory
    with pytest.raises(OutOfMemory) as nothing_left:
        ease(Easing(1, 8, checkpointing=True), contrasts=False, can_checkpoint=True)
    assert not job_head(replace(row, error=nothing_left.value.message)).out_of_memory
    with pytest.raises(OutOfMemory) as contrasting:
        ease(Easing(8, 1, checkpointing=True), contrasts=True, can_checkpoint=True)
    assert job_head(replace(row, error=contrasting.value.message)).out_of_memory


def test_a_retriever_is_told_that_half_the_batch_trains_otherwise(ada: Actor) -> None:
    things = make_things(ada)
    job_id = launch(ada, things)
    told = {}
    for kind in (ModelType.CLASSIFICATION, ModelType.RETRIEVAL):
        with session_scope() as session:
            session.get_one(VideoModel, things[1]).model_type = kind
            session.get_one(TrainingJob, job_id).status = JobStatus.FAILED
        with session_scope() as session:
            told[kind] = visit_job(session, ada, job_id).contrasts
    assert told == {ModelType.CLASSIFICATION: False, ModelType.RETRIEVAL: True}
