"""Controls the queue: pause and resume, the limit per user, priorities, draining of workers."""

from dataclasses import dataclass

from sqlalchemy import func, update
from sqlmodel import Session, col, select

from orchestrator.domain.audit import Act
from orchestrator.domain.errors import Conflict, Invalid, NotAllowed, NotFound
from orchestrator.domain.machines import CPU
from orchestrator.domain.queueing import PRIORITIES, Priority, QueueControl
from orchestrator.domain.training_jobs import ON_WORKER, JobStatus, TrainingJob
from orchestrator.domain.users import Actor
from orchestrator.domain.workers import Worker
from orchestrator.services.access import owned_job
from orchestrator.services.after_commit import after_commit
from orchestrator.services.audit.recording import record
from orchestrator.services.queue import train_key, withdraw
from orchestrator.services.training.dispatch import QUEUE_NAME, dispatch, lock_queue
from orchestrator.services.training.jobs import job_row
from orchestrator.services.training.rows import JobRow

_ADMIN_ONLY = "Only an administrator may do this."
MOST_PER_USER = 1_000


@dataclass(frozen=True, slots=True)
class QueueRow:
    """The state of the queue; counts only, no names."""

    paused: bool
    per_user: int | None
    waiting: int
    running: int


def queue_row(session: Session, actor: Actor) -> QueueRow:
    """The state of the queue, for every user."""
    control = session.get(QueueControl, QUEUE_NAME) or QueueControl(name=QUEUE_NAME)
    waiting = select(func.count(col(TrainingJob.id))).where(TrainingJob.status == JobStatus.QUEUED)
    running = select(func.count(col(TrainingJob.id))).where(col(TrainingJob.status).in_(ON_WORKER))
    return QueueRow(control.paused, control.per_user, session.exec(waiting).one(), session.exec(running).one())


def steer_queue(
    session: Session, actor: Actor, paused: bool | None = None, per_user: int | None = None, unlimited: bool = False
) -> QueueRow:
    """Pauses or resumes the queue and sets how many jobs of one user may train at once.

    Running jobs go on; jobs that were sent to a worker and not started wait again.

    Args:
        paused, per_user: None leaves the setting as it is.
        unlimited: removes the limit.

    Raises:
        NotAllowed: not an administrator. Invalid: `per_user` below 1.
    """
    if not actor.is_admin:
        raise NotAllowed(_ADMIN_ONLY)
    if per_user is not None and not 1 <= per_user <= MOST_PER_USER:
        raise Invalid(f"Allow 1 to {MOST_PER_USER} jobs per user, or set no limit.", "per_user")
    control = lock_queue(session)
    before = {"paused": control.paused, "per_user": control.per_user}
    control.paused = control.paused if paused is None else paused
    control.per_user = None if unlimited else per_user if per_user is not None else control.per_user
    session.add(control)
    session.flush()
    after = {"paused": control.paused, "per_user": control.per_user}
    record(session, actor, Act.QUEUE_CHANGED, control.name, "queue", before, after)
    if control.paused:
        _withdraw_sent(session)
    else:
        dispatch(session)
    return queue_row(session, actor)


def set_priority(session: Session, actor: Actor, job_id: int, word: str) -> JobRow:
    """Sets the priority of a waiting job of the actor's.

    Args:
        word: low, normal or high.

    Raises:
        Invalid: there is no such priority. NotAllowed: only administrators set high. Conflict: it is not waiting.
    """
    if word not in PRIORITIES:
        raise Invalid("Choose low, normal or high.", "priority")
    if PRIORITIES[word] is Priority.HIGH and not actor.is_admin:
        raise NotAllowed("Only an administrator may put a job before those of others.")
    job = owned_job(session, actor, job_id)
    before = _name_of(job.priority)
    own = (col(TrainingJob.id) == job_id, col(TrainingJob.status) == JobStatus.QUEUED)
    change = update(TrainingJob).where(*own).values(priority=int(PRIORITIES[word]))
    if session.exec(change.execution_options(synchronize_session="fetch")).rowcount != 1:
        raise Conflict(f"{job.name} is not waiting any more: it is {job.status.value}.")
    priorities = {"priority": before}, {"priority": word}
    record(session, actor, Act.JOB_PRIORITY_CHANGED, job_id, job.name, *priorities)
    session.refresh(job)
    return job_row(job)


def _name_of(priority: int) -> str:
    return next(word for word, value in PRIORITIES.items() if value == priority)


def drain_worker(session: Session, actor: Actor, name: str, draining: bool = True) -> None:
    """Lets a worker finish its job and take no more; with `draining=False` it takes jobs again.

    Raises:
        NotAllowed: not an administrator. NotFound: no such worker.
    """
    worker = session.get(Worker, name)
    if worker is None:
        raise NotFound("There is no such worker; it may have ended.")
    if not actor.is_admin:
        raise NotAllowed(_ADMIN_ONLY)
    worker.draining = draining
    session.add(worker)
    session.flush()
    record(session, actor, Act.WORKER_DRAINED if draining else Act.WORKER_UNDRAINED, name, name)
    if not draining:
        dispatch(session)


def _withdraw_sent(session: Session) -> None:
    """Takes back the messages of jobs that no worker has started yet."""
    sent = (col(TrainingJob.status) == JobStatus.QUEUED, col(TrainingJob.sent_at).is_not(None))
    messages = [
        (train_key(job_id or 0, attempt + 1), pool or CPU)
        for job_id, attempt, pool in session.exec(
            select(TrainingJob.id, TrainingJob.attempt, TrainingJob.pool).where(*sent)
        )
    ]
    session.exec(update(TrainingJob).where(*sent).values(sent_at=None))
    for key, pool in messages:
        after_commit(session, lambda key=key, pool=pool: withdraw(key, pool))
