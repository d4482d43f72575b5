"""A run while the database is away: no measurement is lost, and its end is recorded when the database is back."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import structlog
from sqlmodel import func, select

from jobs.runs import attempt as attempt_module
from jobs.runs import rehearsal, supervisor
from jobs.runs.attempt import _in_transaction
from jobs.runs.supervisor import End, Supervisor
from orchestrator.domain.metric_points import MetricPoint
from orchestrator.domain.training_jobs import JobStatus, TrainingJob
from orchestrator.domain.users import Actor
from orchestrator.services import db
from orchestrator.services.db import session_scope
from tests.outages import ERRORS, DatabaseOutage
from tests.studio import job_of
from tests.unit.services.training.test_lifecycle import make_job

AWAY = [pytest.param(error, id=type(error).__name__) for error in ERRORS]


@pytest.fixture
def watched(ada: Actor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Supervisor:
    """A run that has recorded five steps and is not yet marked as running."""
    monkeypatch.setattr(db, "_RETRY_S", 0.01)
    monkeypatch.setattr(supervisor, "_STORE_EVERY_S", 0.0)
    with session_scope() as session:
        job_id = make_job(session, ada, JobStatus.STARTING)
    head = {"job": job_id, "attempt": 1, "t": "2026-01-01T00:00:00+00:00", "kind": "metric", "phase": "train"}
    lines = [head | {"seq": n, "step": n, "epoch": 0.1, "total": 5, "values": {"loss": 1.0 / n}} for n in range(1, 6)]
    (tmp_path / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    unused, lease = cast("Any", None), cast("Any", SimpleNamespace(fenced=False))
    return Supervisor(job_id, 1, tmp_path, unused, lease, unused, 1.0)


def stored(job_id: int) -> int:
    with session_scope() as session:
        return session.exec(select(func.count()).where(MetricPoint.job_id == job_id)).one()


@pytest.mark.parametrize("error", AWAY)
def test_measurements_wait_and_none_is_lost(
    watched: Supervisor, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    DatabaseOutage(monkeypatch, supervisor, error, fails=4)
    with structlog.testing.capture_logs() as logged:
        for _ in range(4):
            assert watched._store_measurements()  # the attempt goes on
        assert stored(watched.job_id) == 0
        assert watched._store_measurements()
    assert stored(watched.job_id) == 5
    assert job_of(watched.job_id).status is JobStatus.RUNNING
    events = [line["event"] for line in logged if line["event"].startswith("supervisor.")]
    assert events == ["supervisor.database_away", "supervisor.database_back"]


@pytest.mark.parametrize("error", AWAY)
def test_a_run_that_ends_in_an_outage_stores_the_rest_afterwards(
    watched: Supervisor, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    DatabaseOutage(monkeypatch, supervisor, error, fails=4)
    watched.store_remaining()
    assert stored(watched.job_id) == 5


def test_a_commit_that_fails_leaves_the_job_to_be_marked_again(
    watched: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The transaction that marks a job as running is the one that meets the outage."""
    real = supervisor.report_progress

    def report(*arguments: Any, **changes: Any) -> Any:
        monkeypatch.setattr(supervisor, "report_progress", real)
        raise ERRORS[0]

    monkeypatch.setattr(supervisor, "report_progress", report)
    assert watched._store_measurements()
    assert job_of(watched.job_id).status is JobStatus.STARTING
    assert watched._store_measurements()
    assert job_of(watched.job_id).status is JobStatus.RUNNING


def test_the_end_waits_unless_the_worker_shuts_down(watched: Supervisor) -> None:
    assert not watched.gives_up(3600.0)
    watched.suspended = True
    assert not watched.gives_up(1.0)
    assert watched.gives_up(10.0)
    watched.suspended, watched.lease.fenced = False, True
    assert watched.gives_up(0.0)


@pytest.mark.parametrize("error", AWAY)
def test_the_end_of_an_attempt_is_recorded_after_an_outage(
    watched: Supervisor, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    outage = DatabaseOutage(monkeypatch, attempt_module, error, fails=4)
    assert _in_transaction(lambda _session: "recorded", watched) == "recorded"
    assert outage.asked == 5


@pytest.mark.parametrize("error", AWAY)
def test_a_forced_stop_is_noted_or_not(watched: Supervisor, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    DatabaseOutage(monkeypatch, supervisor, error)
    watched._note_forced_stop("The step did not end within 20 s: ended by force.")


@pytest.mark.parametrize("error", AWAY)
def test_a_rehearsal_is_recorded_after_an_outage(home: Path, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    monkeypatch.setattr(db, "_RETRY_S", 0.01)
    monkeypatch.setattr(rehearsal, "claim", lambda *_: object())
    monkeypatch.setattr(rehearsal, "write_spec", lambda *_: Path("spec.json"))
    monkeypatch.setattr(rehearsal, "_rehearse", lambda *_: ({"step_s": 1.0}, ""))
    results: list[Any] = []
    monkeypatch.setattr(rehearsal, "finish", lambda _session, *result: results.append(result))
    real, tries = session_scope, []

    def scope() -> Any:
        tries.append(1)
        if 1 < len(tries) < 5:  # the first one claims
            raise error
        return real()

    monkeypatch.setattr(rehearsal, "session_scope", scope)
    assert rehearsal.run_rehearsal(1) == "done"
    assert results == [(1, {"step_s": 1.0}, "")]


def isolated(watched: Supervisor, monkeypatch: pytest.MonkeyPatch, fails: int = 4) -> None:
    """The database stays away for some tries after the trainer's end."""
    DatabaseOutage(monkeypatch, supervisor, ERRORS[0], fails=fails)


def test_a_paused_run_goes_on_when_it_still_has_the_job(watched: Supervisor, monkeypatch: pytest.MonkeyPatch) -> None:
    isolated(watched, monkeypatch)
    assert watched.wait_for_database() is None


@pytest.mark.parametrize(("status", "attempt"), [(JobStatus.QUEUED, 1), (JobStatus.RUNNING, 2), (JobStatus.FAILED, 1)])
def test_a_paused_run_whose_job_was_given_away_ends(
    watched: Supervisor, monkeypatch: pytest.MonkeyPatch, status: JobStatus, attempt: int
) -> None:
    with session_scope() as session:
        job = session.get_one(TrainingJob, watched.job_id)
        job.status, job.attempt = status, attempt
    isolated(watched, monkeypatch)
    assert watched.wait_for_database() is End.FENCED


def test_a_paused_run_that_is_to_stop_does_not_go_on(watched: Supervisor, monkeypatch: pytest.MonkeyPatch) -> None:
    with session_scope() as session:
        session.get_one(TrainingJob, watched.job_id).status = JobStatus.STOPPING
    isolated(watched, monkeypatch)
    assert watched.wait_for_database() is End.STOPPED


@pytest.mark.parametrize(("fenced", "end"), [(True, End.FENCED), (False, End.SUSPENDED)])
def test_a_paused_run_waits_no_longer_than_its_worker_and_its_lease(
    watched: Supervisor, monkeypatch: pytest.MonkeyPatch, fenced: bool, end: End
) -> None:
    isolated(watched, monkeypatch, fails=10**6)
    watched.lease.fenced, watched.suspended = fenced, not fenced
    assert watched.wait_for_database() is end
