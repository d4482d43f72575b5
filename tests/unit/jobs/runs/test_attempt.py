"""How an attempt's end is recorded when it was asked to stop: never as a failure, wherever the stop came."""

import json
from pathlib import Path
from typing import Any, cast

import pytest
from sqlmodel import select

from jobs.runs.attempt import _record_end, run_attempt
from jobs.runs.log_capture import RunLog
from jobs.runs.supervisor import End, Supervisor
from orchestrator.domain.redis_keys import job_lease
from orchestrator.domain.training_jobs import JobEvent, JobStatus
from orchestrator.domain.users import Actor
from orchestrator.services.attempts.folders import attempt_folder
from orchestrator.services.db import session_scope
from orchestrator.services.training import lifecycle
from tests.fakes.checkpoints import save_checkpoint
from tests.studio import RedisProcess, job_of
from tests.unit.services.training.test_lifecycle import make_job


@pytest.fixture
def stopping(ada: Actor) -> Supervisor:
    """Watches a job that was asked to stop."""
    return supervisor_of(ada, JobStatus.STOPPING)


def supervisor_of(ada: Actor, status: JobStatus) -> Supervisor:
    with session_scope() as session:
        job_id = make_job(session, ada, status)
    folder = attempt_folder(job_id, 1)
    folder.mkdir(parents=True)
    unused = cast("Any", None)
    return Supervisor(job_id, 1, folder, unused, unused, RunLog(folder / "log.jsonl", job_id, 1), 1.0)


def write_result(folder: Path, **result: Any) -> None:
    (folder / "result.json").write_text(json.dumps({"attempt": 1, **result}))


def last_event(job_id: int) -> str:
    with session_scope() as session:
        found = session.exec(select(JobEvent).where(JobEvent.job_id == job_id)).all()
        return found[-1].message


def test_a_trainer_that_heard_the_stop_before_its_supervisor_is_stopped(stopping: Supervisor) -> None:
    """It reads the request in Redis itself, and ended before a busy machine let its supervisor look."""
    write_result(stopping.folder, status="stopped", stage="loading")
    assert _record_end(stopping, End.EXITED, 0, 0) == "stopped"
    assert job_of(stopping.job_id).status is JobStatus.STOPPED
    assert last_event(stopping.job_id).startswith("Stopped while the base model was loading. There is no checkpoint")


def test_a_trainer_killed_by_the_stop_as_it_starts_is_stopped(stopping: Supervisor) -> None:
    """While it imports it has no handler for SIGTERM yet, and writes no result."""
    assert _record_end(stopping, End.STOPPED, -15, 0) == "stopped"
    assert last_event(stopping.job_id).startswith("Stopped while the base model was loading.")


def test_a_trainer_that_fails_while_it_stops_is_stopped_and_says_so(stopping: Supervisor) -> None:
    write_result(stopping.folder, status="failed", error="The disk is full.")
    assert _record_end(stopping, End.STOPPED, 1, 0) == "stopped"
    assert last_event(stopping.job_id) == "Stopped. Before it ended it failed: The disk is full."


def test_a_forced_stop_names_the_checkpoint_that_is_there(stopping: Supervisor) -> None:
    stopping.forced = True
    save_checkpoint(stopping.job_id, 1, 8)
    assert _record_end(stopping, End.STOPPED, -9, 0) == "stopped"
    assert last_event(stopping.job_id).endswith("The checkpoint at step 8 stays.")


def test_a_trainer_ended_from_outside_is_queued_again(ada: Actor) -> None:
    """An administrator's SIGTERM: the trainer saved its step and ended well, but no person asked for a stop."""
    running = supervisor_of(ada, JobStatus.RUNNING)
    write_result(running.folder, status="stopped", stage="training")
    assert _record_end(running, End.EXITED, 0, 0) == "lost"
    assert job_of(running.job_id).status is JobStatus.QUEUED


def test_a_claimed_job_has_a_lease_from_the_first_moment(
    redis_server: RedisProcess, ada: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The controller gives a claimed job without a lease to another worker."""
    with session_scope() as session:
        job_id = make_job(session, ada, JobStatus.QUEUED, attempt=0)
    leases, claim = [], lifecycle.claim

    def read_lease_and_claim(*args: Any) -> bool:
        leases.append(redis_server.client().get(job_lease(job_id)))
        return claim(*args)

    monkeypatch.setattr(lifecycle, "claim", read_lease_and_claim)
    assert run_attempt(job_id, 1, "w") == "failed"  # it has no dataset
    assert leases == [b"1"]
    assert redis_server.client().get(job_lease(job_id)) is None


def test_who_does_not_get_the_job_leaves_the_lease_of_who_did(redis_server: RedisProcess, ada: Actor) -> None:
    with session_scope() as session:
        job_id = make_job(session, ada, JobStatus.RUNNING, attempt=1)
    redis_server.client().set(job_lease(job_id), 1, px=60_000)
    assert run_attempt(job_id, 1, "w") == "not ours"
    assert redis_server.client().get(job_lease(job_id)) == b"1"
