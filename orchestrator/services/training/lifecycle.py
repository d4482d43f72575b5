"""Moves a training job from state to state: each move is one compare-and-set, so two hands never both win."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import func, update
from sqlmodel import Session, col, select

from orchestrator.domain.base import utcnow
from orchestrator.domain.errors import Conflict
from orchestrator.domain.failures import FailureKind
from orchestrator.domain.training_jobs import FINAL, ON_WORKER, TRANSITIONS, JobEvent, JobStatus, TrainingJob
from orchestrator.domain.users import Actor
from orchestrator.services.access import owned_job
from orchestrator.services.adapters.recording import record_adapter
from orchestrator.services.after_commit import after_commit
from orchestrator.services.live_events import publish_noted, publish_status
from orchestrator.services.training.artifacts import saved_step
from orchestrator.services.training.dispatch import dispatch, dispatch_soon
from orchestrator.services.training.jobs import job_row
from orchestrator.services.training.notify import tell_move
from orchestrator.services.training.rows import JobRow
from orchestrator.services.training.stop_flag import clear_stop, raise_stop

MAX_LOSSES = 3
"""How often a job may lose its machine without a new checkpoint in between before it fails."""


def sources(to: JobStatus) -> frozenset[JobStatus]:
    """The states from which a job may move to `to`."""
    return frozenset(state for state, targets in TRANSITIONS.items() if to in targets)


def move(
    session: Session,
    job_id: int,
    attempt: int,
    to: JobStatus,
    message: str,
    *,
    kind: str = "",
    only_from: Collection[JobStatus] | None = None,
    new_attempt: int | None = None,
    **changes: Any,
) -> bool:
    """Moves the job if it stands where it may move from and `attempt` is still its attempt.

    Writes a timeline line and publishes the new status after the commit.

    Returns:
        False when somebody else was faster or a newer attempt runs: then nothing was changed.
    """
    legal = sources(to) if only_from is None else sources(to) & frozenset(only_from)
    if new_attempt is not None:
        changes["attempt"] = new_attempt
    statement = (
        update(TrainingJob)
        .where(col(TrainingJob.id) == job_id, col(TrainingJob.attempt) == attempt, col(TrainingJob.status).in_(legal))
        .values(status=to, **changes)
        .execution_options(synchronize_session="fetch")
    )
    if session.exec(statement).rowcount != 1:
        return False
    note(session, job_id, kind or to.value, message)
    tell_move(session, job_id, to, message)
    if to in FINAL:
        dispatch_soon(session)
    now_attempt, error = changes.get("attempt", attempt), changes.get("error", "")
    owner = session.exec(select(TrainingJob.owner_id).where(TrainingJob.id == job_id)).one()
    after_commit(session, lambda: publish_status(job_id, now_attempt, to.value, error, owner))
    return True


def note(session: Session, job_id: int, kind: str, message: str) -> None:
    """Adds a line to the job's timeline."""
    session.add(JobEvent(job_id=job_id, kind=kind, message=message[:500]))
    session.flush()


def remark(session: Session, job_id: int, attempt: int, remarks: Sequence[tuple[str, str]]) -> None:
    """What the trainer said of its own run, (kind, sentence) each: onto the timeline, and to the open pages."""
    for kind, message in remarks:
        note(session, job_id, kind[:32], message)
    after_commit(session, lambda: publish_noted(job_id, attempt))


def claim(session: Session, job_id: int, attempt: int, worker: str) -> bool:
    """A worker takes the waiting job for its attempt number `attempt` (the first is 1)."""
    message = f"Started on {worker}." if attempt == 1 else f"Started on {worker}, attempt {attempt}."
    return move(
        session,
        job_id,
        attempt - 1,
        JobStatus.STARTING,
        message,
        new_attempt=attempt,
        worker=worker,
        started_at=func.coalesce(TrainingJob.started_at, utcnow()),
    )


def mark_running(session: Session, job_id: int, attempt: int, total_steps: int) -> bool:
    """The first step is about to be trained."""
    changes: dict[str, Any] = {"total_steps": total_steps} if total_steps else {}
    return move(session, job_id, attempt, JobStatus.RUNNING, "The first step is being trained.", **changes)


def report_progress(session: Session, job_id: int, attempt: int, **changes: Any) -> bool:
    """Writes step, total_steps, epoch, summary while the attempt holds the job; False when it no longer does."""
    statement = (
        update(TrainingJob)
        .where(
            col(TrainingJob.id) == job_id, col(TrainingJob.attempt) == attempt, col(TrainingJob.status).in_(ON_WORKER)
        )
        .values(**changes)
        .execution_options(synchronize_session="fetch")
    )
    return session.exec(statement).rowcount == 1


def complete(session: Session, job_id: int, attempt: int, message: str = "Finished; the adapter is ready.") -> bool:
    """Every step is trained and the adapter is written: it becomes the next version of its line."""
    done = move(session, job_id, attempt, JobStatus.COMPLETED, message, finished_at=utcnow(), error="", failure=None)
    if done:
        record_adapter(session, job_id)
    return done


def fail(session: Session, job_id: int, attempt: int, failure: FailureKind, error: str, details: str = "") -> bool:
    """Ends the job with the sentence people read on its page, and the word that the pages decide by."""
    return move(
        session,
        job_id,
        attempt,
        JobStatus.FAILED,
        error,
        finished_at=utcnow(),
        failure=failure,
        error=error[:2000],
        error_details=details[-8000:],
    )


def mark_stopped(session: Session, job_id: int, attempt: int, message: str) -> bool:
    """The run ended because somebody asked for it."""
    return move(session, job_id, attempt, JobStatus.STOPPED, message, finished_at=utcnow())


def lose(
    session: Session, job_id: int, attempt: int, reason: str, *, counts: bool = True, worker: str = ""
) -> JobStatus | None:
    """The worker that held the job is gone: queue it again, or end it.

    Args:
        reason: a sentence: what happened to the worker.
        worker: only when this worker holds it.
        counts: False when the worker was shut down in order; that may happen any number of times.

    Returns:
        The job's new state, or None when this attempt no longer held it.
    """
    job = session.get(TrainingJob, job_id, populate_existing=True)
    if job is None or job.attempt != attempt or job.status not in ON_WORKER or (worker and job.worker != worker):
        return None
    if job.status is JobStatus.STOPPING:
        return JobStatus.STOPPED if mark_stopped(session, job_id, attempt, f"Stopped. {reason}") else None
    safe = _new_checkpoint(session, job)
    losses = _losses(session, job_id) + 1
    if counts and losses >= MAX_LOSSES:
        between = f"Its machine was lost {losses} times without a new checkpoint in between"
        error = f"{reason} {between}, so the job was not started again."
        failed = fail(session, job_id, attempt, FailureKind.MACHINE_LOST, error, job.error_details)
        return JobStatus.FAILED if failed else None
    kind = "lost" if counts else "suspended"
    if not move(session, job_id, attempt, JobStatus.LOST, reason, kind=kind, only_from={job.status}, worker="", **safe):
        return None
    queue_again(session, job_id, attempt, "Waiting to go on from its last checkpoint.", kind="requeued")
    return JobStatus.QUEUED


def queue_again(session: Session, job_id: int, attempt: int, message: str, kind: str = "queued") -> bool:
    """Puts a lost, failed or stopped job back in the queue."""
    moved = move(
        session,
        job_id,
        attempt,
        JobStatus.QUEUED,
        message,
        kind=kind,
        error="",
        error_details="",
        failure=None,
        finished_at=None,
        worker="",
        sent_at=None,
    )
    if moved:
        after_commit(session, lambda: clear_stop(job_id))
        dispatch(session)
    return moved


def request_stop(session: Session, actor: Actor, job_id: int) -> JobRow:
    """Asks for the end of a job: a waiting one stops at once, a running one at its next step.

    Asking again changes nothing.

    Raises:
        NotFound: not the actor's job.
        Conflict: it has ended already.
    """
    job = owned_job(session, actor, job_id)
    for _ in range(5):  # each try starts from what the ledger says now; five lost races in a row do not happen
        session.refresh(job)
        if job.status in FINAL:
            raise Conflict(f"{job.name} has already ended: it is {job.status.value}.")
        if job.status is JobStatus.STOPPING:
            break
        held = job.status in ON_WORKER
        to = JobStatus.STOPPING if held else JobStatus.STOPPED
        message = "Asked to stop after the current step." if held else "Stopped before it started."
        changes: dict[str, Any] = {} if held else {"finished_at": utcnow()}
        if move(session, job_id, job.attempt, to, message, only_from={job.status}, **changes):
            break
    after_commit(session, lambda: raise_stop(job_id))
    session.refresh(job)
    return job_row(job)


def resume_job(session: Session, actor: Actor, job_id: int) -> JobRow:
    """Queues a stopped or failed job again; it goes on from its last checkpoint, or from the start without one.

    Raises:
        Conflict: it is complete, or it waits or runs.
    """
    job = owned_job(session, actor, job_id)
    if job.status not in (JobStatus.STOPPED, JobStatus.FAILED):
        raise Conflict(f"{job.name} is {job.status.value}; only a stopped or failed job can go on.")
    if not queue_again(session, job_id, job.attempt, "Queued again to go on from its last checkpoint."):
        raise Conflict(f"{job.name} changed in this moment. Look at it again.")
    session.refresh(job)
    return job_row(job)


def _new_checkpoint(session: Session, job: TrainingJob) -> dict[str, Any]:
    """Notes that the job got further since its last loss: a run of weeks may lose its machine any number of times,
    and only one that gets nowhere is given up. What `move` must write with it."""
    step, summary = saved_step(job.id or 0), job.summary or {}
    if step <= int(summary.get("safe_step") or 0):
        return {}
    note(session, job.id or 0, "saved", f"Its checkpoint at step {step:,} is safe.")
    return {"summary": {**summary, "safe_step": step}}


def _losses(session: Session, job_id: int) -> int:
    """Losses since a person last queued the job, or since it last got to a new checkpoint."""
    queued = select(func.max(JobEvent.id)).where(JobEvent.job_id == job_id, col(JobEvent.kind).in_(("queued", "saved")))
    last = session.exec(queued).one() or 0
    lost = select(func.count(col(JobEvent.id))).where(
        JobEvent.job_id == job_id, JobEvent.kind == "lost", col(JobEvent.id) > last
    )
    return session.exec(lost).one()
