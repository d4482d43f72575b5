"""The state machine: every pair of states, the attempt as a fence, losses and their limit."""

from itertools import product

import pytest
from sqlmodel import Session, select

from orchestrator.domain.errors import Conflict, NotFound
from orchestrator.domain.failures import FailureKind
from orchestrator.domain.training_jobs import FINAL, TRANSITIONS, JobEvent, JobStatus, TrainingJob
from orchestrator.domain.users import Actor
from orchestrator.services.db import session_scope
from orchestrator.services.training import lifecycle
from tests.fakes.checkpoints import save_checkpoint
from tests.studio import job_of, make_person


def make_job(session: Session, actor: Actor, status: JobStatus, attempt: int = 1) -> int:
    job = TrainingJob(
        owner_id=actor.user_id,
        name="adapter",
        dataset_name="d",
        model_name="m",
        idempotency_key=f"{status}-{attempt}",
        status=status,
        attempt=attempt,
    )
    session.add(job)
    session.flush()
    assert job.id
    return job.id


@pytest.mark.parametrize(("start", "to"), list(product(JobStatus, JobStatus)))
def test_only_legal_moves_happen(ada: Actor, start: JobStatus, to: JobStatus) -> None:
    with session_scope() as session:
        job_id = make_job(session, ada, start)
        moved = lifecycle.transition(session, job_id, 1, to, "moved")
    assert moved is (to in TRANSITIONS[start])
    assert job_of(job_id).status is (to if moved else start)
    with session_scope() as session:
        assert len(session.exec(select(JobEvent)).all()) == int(moved)


@pytest.mark.parametrize("attempt", [0, 2])
def test_another_attempt_changes_nothing(ada: Actor, attempt: int) -> None:
    with session_scope() as session:
        job_id = make_job(session, ada, JobStatus.RUNNING)
        assert not lifecycle.complete(session, job_id, attempt)
        assert not lifecycle.fail(session, job_id, attempt, FailureKind.CRASH, "no")
        assert not lifecycle.report_progress(session, job_id, attempt, step=5)
        assert lifecycle.mark_lost(session, job_id, attempt, "gone") is None
    assert job_of(job_id).status is JobStatus.RUNNING


def test_a_job_is_claimed_once(ada: Actor) -> None:
    with session_scope() as session:
        job_id = make_job(session, ada, JobStatus.QUEUED, attempt=0)
        assert lifecycle.claim(session, job_id, 1, "first")
        assert not lifecycle.claim(session, job_id, 1, "second")
        assert not lifecycle.claim(session, job_id, 2, "third")
    assert (job_of(job_id).worker, job_of(job_id).attempt) == ("first", 1)


def test_the_third_loss_fails_the_job(ada: Actor) -> None:
    ends = []
    with session_scope() as session:
        job_id = make_job(session, ada, JobStatus.QUEUED, attempt=0)
        for attempt in (1, 2, 3):
            lifecycle.claim(session, job_id, attempt, "w")
            ends.append(lifecycle.mark_lost(session, job_id, attempt, "The worker fell silent."))
    assert ends == [JobStatus.QUEUED, JobStatus.QUEUED, JobStatus.FAILED]
    job = job_of(job_id)
    assert job.error == (
        "The worker fell silent. Its machine was lost 3 times without a new checkpoint in between, "
        "so the job was not started again."
    )
    assert job.failure is FailureKind.MACHINE_LOST


def test_a_job_that_gets_further_each_time_is_never_given_up(ada: Actor) -> None:
    with session_scope() as session:
        job_id = make_job(session, ada, JobStatus.QUEUED, attempt=0)
        for attempt in range(1, 7):
            save_checkpoint(job_id, attempt, attempt * 10)
            lifecycle.claim(session, job_id, attempt, "w")
            assert lifecycle.mark_lost(session, job_id, attempt, "The worker fell silent.") is JobStatus.QUEUED
        ends = []
        for attempt in (7, 8):
            lifecycle.claim(session, job_id, attempt, "w")
            ends.append(lifecycle.mark_lost(session, job_id, attempt, "The worker fell silent."))
    assert ends == [JobStatus.QUEUED, JobStatus.FAILED]
    job = job_of(job_id)
    assert (job.attempt, "attempt 3" in job.error, "lost 3 times" in job.error) == (8, False, True)


def test_a_shut_down_worker_does_not_count(ada: Actor) -> None:
    with session_scope() as session:
        job_id = make_job(session, ada, JobStatus.QUEUED, attempt=0)
        for attempt in range(1, 8):
            assert lifecycle.claim(session, job_id, attempt, "w")
            assert lifecycle.mark_lost(session, job_id, attempt, "Shut down.", counts=False) is JobStatus.QUEUED


def test_resume_resets_the_count_of_losses(ada: Actor) -> None:
    with session_scope() as session:
        job_id = make_job(session, ada, JobStatus.QUEUED, attempt=0)
        for attempt in (1, 2, 3):
            lifecycle.claim(session, job_id, attempt, "w")
            lifecycle.mark_lost(session, job_id, attempt, "Gone.")
        resumed = lifecycle.resume_job(session, ada, job_id)
        assert (resumed.status, resumed.error, resumed.failure) == ("queued", "", None)
        lifecycle.claim(session, job_id, 4, "w")
        assert lifecycle.mark_lost(session, job_id, 4, "Gone.") is JobStatus.QUEUED


def test_only_the_worker_that_holds_it_loses_it(ada: Actor) -> None:
    with session_scope() as session:
        job_id = make_job(session, ada, JobStatus.QUEUED, attempt=0)
        lifecycle.claim(session, job_id, 1, "first")
        assert lifecycle.mark_lost(session, job_id, 1, "Gone.", worker="second") is None
        assert lifecycle.mark_lost(session, job_id, 1, "Gone.", worker="first") is JobStatus.QUEUED


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (JobStatus.QUEUED, JobStatus.STOPPED),
        (JobStatus.LOST, JobStatus.STOPPED),
        (JobStatus.STARTING, JobStatus.STOPPING),
        (JobStatus.RUNNING, JobStatus.STOPPING),
        (JobStatus.STOPPING, JobStatus.STOPPING),
    ],
)
def test_stop(ada: Actor, start: JobStatus, end: JobStatus) -> None:
    with session_scope() as session:
        job_id = make_job(session, ada, start)
        assert lifecycle.request_stop(session, ada, job_id).status == end.value
        assert lifecycle.request_stop(session, ada, job_id).status == end.value if end is JobStatus.STOPPING else True


@pytest.mark.parametrize("end", sorted(FINAL))
def test_an_ended_job_cannot_be_stopped(ada: Actor, end: JobStatus) -> None:
    with session_scope() as session:
        job_id = make_job(session, ada, end)
        with pytest.raises(Conflict):
            lifecycle.request_stop(session, ada, job_id)


def test_a_stranger_stops_and_resumes_nothing(ada: Actor) -> None:
    eve = make_person("eve")
    with session_scope() as session:
        job_id = make_job(session, ada, JobStatus.RUNNING)
        for run_as_user in (lifecycle.request_stop, lifecycle.resume_job):
            with pytest.raises(NotFound):
                run_as_user(session, eve, job_id)
