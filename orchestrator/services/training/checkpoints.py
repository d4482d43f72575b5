"""The checkpoints of a job that has ended: their list, and how they are deleted by a person or by age."""

import shutil
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from sqlalchemy import delete, update
from sqlmodel import Session, col, select

from orchestrator.domain import formatting
from orchestrator.domain.attempts import Checkpoint, EndedAttempt
from orchestrator.domain.audit import Act
from orchestrator.domain.base import utcnow
from orchestrator.domain.errors import Conflict
from orchestrator.domain.job_files import CHECKPOINTS
from orchestrator.domain.training_jobs import FINAL, JobStatus, TrainingJob
from orchestrator.domain.users import Actor
from orchestrator.services.access import owned_job
from orchestrator.services.after_commit import after_commit
from orchestrator.services.attempts.checkpoints import best_step, counted_checkpoints
from orchestrator.services.attempts.folders import attempt_folder, attempts_on_disk, job_folder
from orchestrator.services.audit.recording import record
from orchestrator.services.training.lifecycle import add_event
from orchestrator.services.training.rows import CheckpointRow
from orchestrator.settings import Settings

EXPIRY_BATCH = 20
"""Jobs whose age is checked in one step, so that no step takes long."""
_RESUMABLE = (JobStatus.STOPPED, JobStatus.FAILED)


def list_checkpoints(session: Session, actor: Actor, job_id: int) -> list[CheckpointRow]:
    """The checkpoints that count and are on disk, the newest first; empty where they are on another host."""
    return _counted(session, owned_job(session, actor, job_id).id or 0)


def delete_checkpoints(session: Session, actor: Actor, job_id: int, give_up_resume: bool = False) -> int:
    """Deletes all checkpoints of a job that has ended; adapter, curves and log stay.

    Args:
        give_up_resume: also those of a stopped or failed job, which starts over when it is resumed after that.

    Returns:
        The bytes that become free.

    Raises:
        Conflict: the job has not ended, or it may be resumed and `give_up_resume` is not set.
    """
    job = owned_job(session, actor, job_id)
    if job.status not in FINAL:
        raise Conflict(f"{job.name} is still {job.status.value}: it needs its checkpoints. Stop it first.")
    rows = _counted(session, job_id)
    if rows and job.status in _RESUMABLE and not give_up_resume:
        raise Conflict(
            f"{job.name} can still be resumed from step {max(row.step for row in rows):,}. "
            "Confirm that it starts over instead (by REST: give_up_resume=true) to delete its checkpoints."
        )
    if rows and not _delete(session, job, rows, "Its checkpoints were deleted"):
        raise Conflict(f"{job.name} has just changed. Reload the page.")
    size = sum(row.size_bytes for row in rows)
    record(session, actor, Act.CHECKPOINTS_DELETED, job_id, job.name, before={"checkpoints": len(rows), "bytes": size})
    return size


def delete_expired(session: Session, settings: Settings, after_id: int = 0) -> int:
    """Deletes the checkpoints, and the adapter's zip, of some jobs that ended long enough ago.

    Args:
        after_id: only jobs with a higher id, of which `EXPIRY_BATCH` are looked at.

    Returns:
        The highest id that was looked at; 0 when no job is left.
    """
    expired = [
        (col(TrainingJob.status) == JobStatus.COMPLETED, settings.checkpoint_days),
        (col(TrainingJob.status).in_(_RESUMABLE), settings.resumable_checkpoint_days),
    ]
    last = 0
    conditions = [
        status & (col(TrainingJob.finished_at) < utcnow() - timedelta(days=days)) for status, days in expired if days
    ]
    if not conditions:
        return 0
    due = conditions[0] if len(conditions) == 1 else conditions[0] | conditions[1]
    statement = select(TrainingJob).where(col(TrainingJob.id) > after_id, due).order_by(col(TrainingJob.id))
    for job in session.exec(statement.limit(EXPIRY_BATCH)).all():
        last = job.id or 0
        days = settings.checkpoint_days if job.status is JobStatus.COMPLETED else settings.resumable_checkpoint_days
        for path in _zips(last):
            path.unlink(missing_ok=True)
        if rows := _counted(session, last):
            _delete(session, job, rows, f"It ended more than {days:g} days ago, so its checkpoints were deleted")
    return last


def delete_late(session: Session, settings: Settings, after: tuple[int, int] = (0, -1)) -> tuple[int, int]:
    """Deletes what attempts saved after their end: it never counts, and no run resumes from it.

    A cut-off run may leave one in any job, also in one that goes on for weeks with a later attempt.

    Args:
        after: (job, attempt); only ended attempts behind it, of which `EXPIRY_BATCH` are looked at.

    Returns:
        The last attempt that was looked at; (0, -1) when none is left.
    """
    if not settings.checkpoint_days:
        return 0, -1
    job, attempt_number = col(EndedAttempt.job_id), col(EndedAttempt.attempt)
    due = col(EndedAttempt.ended_at) < utcnow() - timedelta(days=settings.checkpoint_days)
    behind = (job > after[0]) | ((job == after[0]) & (attempt_number > after[1]))
    found = select(EndedAttempt.job_id, EndedAttempt.attempt).where(behind, due).order_by(job, attempt_number)
    ended = session.exec(found.limit(EXPIRY_BATCH)).all()
    for job_id, attempt in ended:
        rows = session.exec(select(Checkpoint.path).where(Checkpoint.job_id == job_id, Checkpoint.attempt == attempt))
        counted = {job_folder(job_id) / path for path in rows}
        for path in (attempt_folder(job_id, attempt) / CHECKPOINTS).glob("*"):
            if path not in counted:
                shutil.rmtree(path, ignore_errors=True)
    return (ended[-1][0], ended[-1][1]) if ended else (0, -1)


def _delete(session: Session, job: TrainingJob, rows: Sequence[CheckpointRow], sentence: str) -> bool:
    """Deletes them unless the job is resumed meanwhile, which would need them."""
    same = (col(TrainingJob.id) == job.id, col(TrainingJob.status) == job.status)
    locked = update(TrainingJob).where(*same).values(status=job.status).execution_options(synchronize_session=False)
    if session.exec(locked).rowcount != 1:
        return False
    job_id = job.id or 0
    more = " Resumed, it starts over." if job.status in _RESUMABLE else ""
    size = formatting.size(sum(row.size_bytes for row in rows))
    add_event(session, job_id, "freed", f"{sentence} ({size}).{more}")
    session.exec(delete(Checkpoint).where(col(Checkpoint.job_id) == job_id))
    # All of them: what an attempt saved after its end is of no use either.
    folders = [attempt_folder(job_id, attempt) / CHECKPOINTS for attempt in attempts_on_disk(job_id)]
    after_commit(session, lambda: [shutil.rmtree(folder, ignore_errors=True) for folder in folders])
    return True


def _zips(job_id: int) -> list[Path]:
    """Downloads of the adapter that are kept for the next request, which makes them again."""
    return [path for attempt in attempts_on_disk(job_id) for path in attempt_folder(job_id, attempt).glob("*.zip")]


def _counted(session: Session, job_id: int) -> list[CheckpointRow]:
    rows = [row for row in counted_checkpoints(session, job_id) if (job_folder(job_id) / row.path).is_dir()]
    rows.sort(key=lambda row: (row.step, row.attempt), reverse=True)
    best = best_step(job_folder(job_id) / rows[0].path) if rows else 0
    return [CheckpointRow(row.step, row.attempt, row.bytes, row.saved_at, row.step == best) for row in rows]
