"""Checkpoints of ended jobs are listed, and deleted by their owner or by age; never where a job may need them."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import select

from jobs.controller.housekeeping import CheckpointExpiry
from orchestrator.domain.attempts import EndedAttempt
from orchestrator.domain.base import utcnow
from orchestrator.domain.errors import Conflict, NotFound
from orchestrator.domain.training_jobs import ACTIVE, JobEvent, JobStatus, TrainingJob
from orchestrator.domain.users import Actor
from orchestrator.services.attempts.checkpoints import checkpoints_to_resume_from, take_in_checkpoints
from orchestrator.services.attempts.folders import attempt_folder
from orchestrator.services.db import session_scope
from orchestrator.services.training import checkpoints, lifecycle
from orchestrator.settings import get_settings
from tests.fakes.checkpoints import save_checkpoint
from tests.studio import make_person
from tests.unit.services.attempts.test_checkpoints import claim, lose, new_job
from tests.unit.services.training.test_lifecycle import make_job


def ended(actor: Actor, status: JobStatus, days: float = 0.0, number: int = 1) -> tuple[int, Path]:
    """A job with two checkpoints of 1,000 bytes, and its attempt's folder."""
    with session_scope() as session:
        job_id = make_job(session, actor, status, number)
        session.get_one(TrainingJob, job_id).finished_at = utcnow() - timedelta(days=days)
    folder = attempt_folder(job_id, number)
    for step in (4, 8):
        save_checkpoint(job_id, number, step, "x" * 1_000)
    with session_scope() as session:
        take_in_checkpoints(session, job_id, number)
    (folder / "adapter").mkdir()
    (folder / "adapter.zip").touch()
    return job_id, folder


def events_of(job_id: int) -> list[tuple[str, str]]:
    with session_scope() as session:
        found = session.exec(select(JobEvent).where(JobEvent.job_id == job_id))
        return [(event.kind, event.message.replace("\xa0", " ")) for event in found]


def expire() -> None:
    """As often as the controller's housekeeping does in some minutes."""
    chore = CheckpointExpiry()
    for _ in range(5):
        chore.act()


def test_they_are_listed_with_their_bytes(ada: Actor) -> None:
    job_id, _ = ended(ada, JobStatus.COMPLETED)
    with session_scope() as session:
        rows = checkpoints.list_checkpoints(session, ada, job_id)
    assert [(row.step, row.attempt, row.size_bytes) for row in rows] == [(8, 1, 1_000), (4, 1, 1_000)]


def test_those_of_a_completed_job_are_deleted_and_the_adapter_stays(ada: Actor) -> None:
    job_id, folder = ended(ada, JobStatus.COMPLETED)
    with session_scope() as session:
        assert checkpoints.delete_checkpoints(session, ada, job_id) == 2_000
        assert (folder / "checkpoints").exists(), "files go after the commit"
    assert {path.name for path in folder.iterdir()} == {"adapter", "adapter.zip"}
    assert events_of(job_id) == [("freed", "Its checkpoints were deleted (2.00 KB).")]
    with session_scope() as session:
        assert checkpoints.delete_checkpoints(session, ada, job_id) == 0
    assert len(events_of(job_id)) == 1


@pytest.mark.parametrize("status", [JobStatus.STOPPED, JobStatus.FAILED])
def test_those_of_a_job_that_can_be_resumed_need_a_confirmation(ada: Actor, status: JobStatus) -> None:
    job_id, folder = ended(ada, status)
    with pytest.raises(Conflict, match="can still be resumed from step 8"), session_scope() as session:
        checkpoints.delete_checkpoints(session, ada, job_id)
    assert (folder / "checkpoints").exists()
    with session_scope() as session:
        checkpoints.delete_checkpoints(session, ada, job_id, give_up_resume=True)
    assert not (folder / "checkpoints").exists()
    with session_scope() as session:
        lifecycle.resume_job(session, ada, job_id)
    assert [message for _, message in events_of(job_id)] == [
        "Its checkpoints were deleted (2.00 KB). Resumed, it starts over.",
        "Queued again; it has no checkpoint to resume.",
    ]


@pytest.mark.parametrize("status", sorted(ACTIVE))
def test_a_job_that_has_not_ended_keeps_them(ada: Actor, status: JobStatus) -> None:
    job_id, folder = ended(ada, status, days=400)
    with pytest.raises(Conflict, match="needs its checkpoints"), session_scope() as session:
        checkpoints.delete_checkpoints(session, ada, job_id, give_up_resume=True)
    expire()
    assert (folder / "checkpoints").exists()


def test_only_the_owner_sees_or_deletes_them(ada: Actor) -> None:
    job_id, folder = ended(ada, JobStatus.COMPLETED)
    stranger = make_person("bob")
    with session_scope() as session:
        for act in (checkpoints.list_checkpoints, checkpoints.delete_checkpoints):
            with pytest.raises(NotFound):
                act(session, stranger, job_id)
    assert (folder / "checkpoints").exists()


@pytest.mark.parametrize(
    ("status", "days", "stays"),
    [
        (JobStatus.COMPLETED, 6.9, True),
        (JobStatus.COMPLETED, 7.1, False),
        (JobStatus.STOPPED, 29.9, True),
        (JobStatus.STOPPED, 30.1, False),
        (JobStatus.FAILED, 30.1, False),
    ],
)
def test_they_go_by_age_those_of_resumable_jobs_later(ada: Actor, status: JobStatus, days: float, stays: bool) -> None:
    job_id, folder = ended(ada, status, days)
    expire()
    assert (folder / "checkpoints").exists() is (folder / "adapter.zip").exists() is stays
    assert [kind for kind, _ in events_of(job_id)] == ([] if stays else ["freed"])


def test_age_is_checked_a_few_jobs_at_a_time(ada: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoints, "EXPIRY_BATCH", 2)
    folders = [ended(ada, JobStatus.COMPLETED, 8, number)[1] for number in range(1, 6)]
    chore, left = CheckpointExpiry(), []
    for _ in range(4):
        chore.act()
        left.append(sum((folder / "checkpoints").exists() for folder in folders))
    assert left == [3, 1, 0, 0]


def with_late_checkpoint(actor: Actor, days: float, number: int = 1) -> tuple[int, Path, Path]:
    """A job that trains on after its attempt was cut off; that attempt's good and its late checkpoint."""
    job_id = new_job(actor, attempt=number)
    good = save_checkpoint(job_id, number, 4)
    lose(job_id, number)
    late = save_checkpoint(job_id, number, 8)
    (late.parent / ".part-12").mkdir()
    claim(job_id, number + 1)
    with session_scope() as session:
        session.get_one(EndedAttempt, (job_id, number)).ended_at = utcnow() - timedelta(days=days)
    return job_id, good, late


@pytest.mark.parametrize(("days", "stays"), [(6.9, True), (7.1, False)])
def test_what_a_cut_off_attempt_saved_late_goes_by_age(ada: Actor, days: float, stays: bool) -> None:
    job_id, good, late = with_late_checkpoint(ada, days)
    own = save_checkpoint(job_id, 2, 6)
    expire()
    assert late.exists() is (late.parent / ".part-12").exists() is stays
    assert good.exists(), "the attempt that trains now resumed from it"
    assert own.exists()
    with session_scope() as session:
        assert checkpoints_to_resume_from(session, job_id) == [good]
    assert [kind for kind, _ in events_of(job_id)] == ["saved", "lost", "requeued", "starting"]


def test_late_ones_stay_where_zero_days_mean_never(ada: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOREEL_CHECKPOINT_DAYS", "0")
    get_settings.cache_clear()
    _, _, late = with_late_checkpoint(ada, 900)
    expire()
    assert late.exists()


def test_late_ones_are_found_a_few_attempts_at_a_time(ada: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoints, "EXPIRY_BATCH", 2)
    found = [with_late_checkpoint(ada, 8, number)[2] for number in range(1, 6)]
    chore, left = CheckpointExpiry(), []
    for _ in range(4):
        chore.act()
        left.append(sum(path.exists() for path in found))
    assert left == [3, 1, 0, 0]


@pytest.mark.parametrize(("completed", "resumable", "left"), [(0, 30, 1), (7, 0, 1), (0, 0, 2)])
def test_zero_days_mean_never(
    ada: Actor, monkeypatch: pytest.MonkeyPatch, completed: int, resumable: int, left: int
) -> None:
    monkeypatch.setenv("LOREEL_CHECKPOINT_DAYS", str(completed))
    monkeypatch.setenv("LOREEL_RESUMABLE_CHECKPOINT_DAYS", str(resumable))
    get_settings.cache_clear()
    folders = [ended(ada, status, 900)[1] for status in (JobStatus.COMPLETED, JobStatus.STOPPED)]
    expire()
    assert sum((folder / "checkpoints").exists() for folder in folders) == left
