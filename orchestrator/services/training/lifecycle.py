"""Transitions of training jobs: each is one compare-and-set, so that of two processes only one succeeds."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import func, update
from sqlmodel import Session, col, select

from orchestrator.domain.audit import Act
from orchestrator.domain.base import utcnow
from orchestrator.domain.errors import Conflict
from orchestrator.domain.failures import FailureKind
from orchestrator.domain.run_summary import RunSummary
from orchestrator.domain.training_jobs import FINAL, ON_WORKER, TRANSITIONS, JobEvent, JobStatus, TrainingJob
from orchestrator.domain.users import Actor
from orchestrator.services.access import owned_job
from orchestrator.services.adapters.recording import record_adapter
from orchestrator.services.after_commit import after_commit
from orchestrator.services.attempts.checkpoints import hold_job, saved_step, take_in_checkpoints
from orchestrator.services.attempts.ended import note_end
from orchestrator.services.audit.recording import record
from orchestrator.services.live_events import publish_noted, publish_status
from orchestrator.services.training.dispatch import dispatch, dispatch_after_commit
from orchestrator.services.training.jobs import job_row
from orchestrator.services.training.notify import notify_transition
from orchestrator.services.training.rows import JobRow
from orchestrator.services.training.stop_flag import clear_stop_flag, set_stop_flag

MAX_LOSSES = 3
"""A job fails when it has lost its worker this often without a new checkpoint in between."""


def statuses_before(to: JobStatus) -> frozenset[JobStatus]:
    """The statuses from which a job may change to `to`."""
    return frozenset(status for status, targets in TRANSITIONS.items() if to in targets)


def transition(
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
    """Changes the status of a job, if its current status allows it and `attempt` is still its current attempt.

    Adds an event to the timeline and publishes the new status after the commit.

    Args:
        message: the sentence of the event.
        kind: the kind of the event; "" for the name of the status.
        only_from: statuses from which it may change, where these are fewer than `TRANSITIONS` allows.
        new_attempt: the attempt that starts with this transition.
        changes: further columns to set.

    Returns:
        False when another process was faster, or a newer attempt runs; then nothing was changed.
    """
    legal = statuses_before(to) if only_from is None else statuses_before(to) & frozenset(only_from)
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
    if to in FINAL or to is JobStatus.LOST:
        note_end(session, job_id, attempt)
    add_event(session, job_id, kind or to.value, message)
    notify_transition(session, job_id, to, message)
    if to in FINAL:
        dispatch_after_commit(session)
    current_attempt, error = changes.get("attempt", attempt), changes.get("error", "")
    owner = session.exec(select(TrainingJob.owner_id).where(TrainingJob.id == job_id)).one()
    after_commit(session, lambda: publish_status(job_id, current_attempt, to.value, error, owner))
    return True


def add_event(session: Session, job_id: int, kind: str, message: str) -> None:
    """Adds an event to the job's timeline."""
    session.add(JobEvent(job_id=job_id, kind=kind, message=message[:500]))
    session.flush()


def add_trainer_notes(session: Session, job_id: int, attempt: int, notes: Sequence[tuple[str, str]]) -> None:
    """Adds notes of the trainer, (kind, sentence) each, to the timeline and tells open pages."""
    for kind, message in notes:
        add_event(session, job_id, kind[:32], message)
    after_commit(session, lambda: publish_noted(job_id, attempt))


def claim(session: Session, job_id: int, attempt: int, worker: str) -> bool:
    """Assigns a waiting job to a worker, for its attempt number `attempt` (the first is 1)."""
    message = f"Started on {worker}." if attempt == 1 else f"Started on {worker}, attempt {attempt}."
    return transition(
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
    """The trainer begins with the first step."""
    changes: dict[str, Any] = {"total_steps": total_steps} if total_steps else {}
    return transition(session, job_id, attempt, JobStatus.RUNNING, "First step started.", **changes)


def report_progress(session: Session, job_id: int, attempt: int, **changes: Any) -> bool:
    """Writes step, total_steps, epoch and summary.

    Returns:
        False when this attempt is not assigned to the job any more.
    """
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
    """Marks a job as completed and records its adapter as the next version of its line."""
    completed = transition(
        session, job_id, attempt, JobStatus.COMPLETED, message, finished_at=utcnow(), error="", failure=None
    )
    if completed:
        record_adapter(session, job_id)
    return completed


def fail(session: Session, job_id: int, attempt: int, failure: FailureKind, error: str, details: str = "") -> bool:
    """Marks a job as failed.

    Args:
        failure: the cause, by which pages decide what to offer.
        error: the sentence for the user.
        details: the end of the log or the traceback.
    """
    return transition(
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
    """Marks a job as stopped: it ended because the user asked for it."""
    return transition(session, job_id, attempt, JobStatus.STOPPED, message, finished_at=utcnow())


def mark_lost(
    session: Session, job_id: int, attempt: int, reason: str, *, counts: bool = True, worker: str = ""
) -> JobStatus | None:
    """Handles the loss of a job's worker: the job is queued again, or ends when it was lost too often.

    Args:
        reason: a sentence that says what happened to the worker.
        counts: False for an orderly shutdown of the worker, which does not count as a loss.
        worker: only if the job is assigned to the worker of this name; "" for any.

    Returns:
        The new status of the job; None when this attempt was not assigned to it any more.
    """
    job = session.get(TrainingJob, job_id, populate_existing=True)
    if job is None or job.attempt != attempt or job.status not in ON_WORKER or (worker and job.worker != worker):
        return None
    if not hold_job(session, job_id, attempt):
        return None
    take_in_checkpoints(session, job_id, attempt)
    if job.status is JobStatus.STOPPING:
        return JobStatus.STOPPED if mark_stopped(session, job_id, attempt, f"Stopped. {reason}") else None
    changes = {"worker": "", **_new_checkpoint(session, job)}
    losses = _losses(session, job_id) + 1
    if counts and losses >= MAX_LOSSES:
        between = f"Its machine was lost {losses} times without a new checkpoint in between"
        error = f"{reason} {between}, so the job was not started again."
        failed = fail(session, job_id, attempt, FailureKind.MACHINE_LOST, error, job.error_details)
        return JobStatus.FAILED if failed else None
    kind = "lost" if counts else "suspended"
    if not transition(session, job_id, attempt, JobStatus.LOST, reason, kind=kind, only_from={job.status}, **changes):
        return None
    requeue(session, job_id, attempt, "Waiting to resume from its last checkpoint.", kind="requeued")
    return JobStatus.QUEUED


def requeue(session: Session, job_id: int, attempt: int, message: str, kind: str = "queued") -> bool:
    """Queues a lost, failed or stopped job again."""
    moved = transition(
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
        after_commit(session, lambda: clear_stop_flag(job_id))
        dispatch(session)
    return moved


def request_stop(session: Session, actor: Actor, job_id: int) -> JobRow:
    """Requests that a job stops: a waiting one stops at once, a running one after its current step or batch.

    Repeated requests change nothing.

    Raises:
        NotFound: not the actor's job.
        Conflict: it has ended already.
    """
    job = owned_job(session, actor, job_id)
    for _ in range(5):  # the status may change between reading and writing; five times in a row is not realistic
        session.refresh(job)
        if job.status in FINAL:
            raise Conflict(f"{job.name} has already ended: it is {job.status.value}.")
        if job.status is JobStatus.STOPPING:
            break
        assigned = job.status in ON_WORKER
        to = JobStatus.STOPPING if assigned else JobStatus.STOPPED
        message = "Asked to stop." if assigned else "Stopped before it started."
        changes: dict[str, Any] = {} if assigned else {"finished_at": utcnow()}
        before = job.status.value
        if transition(session, job_id, job.attempt, to, message, only_from={job.status}, **changes):
            statuses = {"status": before}, {"status": to.value}
            record(session, actor, Act.JOB_STOPPED, job_id, job.name, *statuses)
            break
    after_commit(session, lambda: set_stop_flag(job_id))
    session.refresh(job)
    return job_row(job)


def resume_job(session: Session, actor: Actor, job_id: int) -> JobRow:
    """Queues a stopped or failed job again; it resumes from its last checkpoint, or starts over without one.

    Raises:
        Conflict: it is complete, or it waits or runs.
    """
    job = owned_job(session, actor, job_id)
    if job.status not in (JobStatus.STOPPED, JobStatus.FAILED):
        raise Conflict(f"{job.name} is {job.status.value}; only a stopped or failed job can be resumed.")
    step = saved_step(session, job_id)
    message = f"Queued again to resume from step {step:,}." if step else "Queued again; it has no checkpoint to resume."
    if not requeue(session, job_id, job.attempt, message):
        raise Conflict(f"{job.name} has just changed. Reload the page.")
    record(session, actor, Act.JOB_RESUMED, job_id, job.name, after={"step": step})
    session.refresh(job)
    return job_row(job)


def _new_checkpoint(session: Session, job: TrainingJob) -> dict[str, Any]:
    """Records whether there is a new checkpoint since the last loss: only a run without progress is given up.

    Returns:
        The columns that the transition has to set.
    """
    step = saved_step(session, job.id or 0)
    if step <= job.summary.safe_step:
        return {}
    add_event(session, job.id or 0, "saved", f"Checkpoint saved at step {step:,}.")
    return {"summary": job.summary.merged(RunSummary(safe_step=step))}


def _losses(session: Session, job_id: int) -> int:
    """How often the worker was lost since the job was queued by a user, or since its last new checkpoint."""
    reset = select(func.max(JobEvent.id)).where(JobEvent.job_id == job_id, col(JobEvent.kind).in_(("queued", "saved")))
    last = session.exec(reset).one() or 0
    lost = select(func.count(col(JobEvent.id))).where(
        JobEvent.job_id == job_id, JobEvent.kind == "lost", col(JobEvent.id) > last
    )
    return session.exec(lost).one()
