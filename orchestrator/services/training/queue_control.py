"""Steers the queue: pause and resume, how much one person may hold, priorities, workers that drain."""

from dataclasses import dataclass

from sqlalchemy import func, update
from sqlmodel import Session, col, select

from orchestrator.domain.errors import Conflict, Invalid, NotAllowed, NotFound
from orchestrator.domain.machines import CPU
from orchestrator.domain.queueing import Priority, QueueControl
from orchestrator.domain.training_jobs import ON_WORKER, JobStatus, TrainingJob
from orchestrator.domain.users import Actor
from orchestrator.domain.workers import Worker
from orchestrator.services.access import owned_job
from orchestrator.services.after_commit import after_commit
from orchestrator.services.queue import train_key, withdraw
from orchestrator.services.training.dispatch import NAME, dispatch, take_turn
from orchestrator.services.training.jobs import job_row
from orchestrator.services.training.rows import JobRow

_ADMIN = "Only an administrator may do this."
WORDS = {"low": Priority.LOW, "normal": Priority.NORMAL, "high": Priority.HIGH}


@dataclass(frozen=True, slots=True)
class QueueRow:
    """The queue as a whole: counts only, nobody's names."""

    paused: bool
    per_user: int | None
    waiting: int
    running: int


def queue_row(session: Session, actor: Actor) -> QueueRow:
    """How the queue stands."""
    control = session.get(QueueControl, NAME) or QueueControl(name=NAME)
    waiting = select(func.count(col(TrainingJob.id))).where(TrainingJob.status == JobStatus.QUEUED)
    running = select(func.count(col(TrainingJob.id))).where(col(TrainingJob.status).in_(ON_WORKER))
    return QueueRow(control.paused, control.per_user, session.exec(waiting).one(), session.exec(running).one())


def steer_queue(
    session: Session, actor: Actor, paused: bool | None = None, per_user: int | None = None, unlimited: bool = False
) -> QueueRow:
    """Pauses or resumes the queue and sets how many jobs of one person may train at once.

    What trains goes on; what was on its way to a worker waits again.

    Raises:
        NotAllowed: not an administrator. Invalid: `per_user` below 1.
    """
    if not actor.is_admin:
        raise NotAllowed(_ADMIN)
    if per_user is not None and not 1 <= per_user <= 1_000:
        raise Invalid("At least one job a person, at most 1000; or no limit.", "per_user")
    control = take_turn(session)
    control.paused = control.paused if paused is None else paused
    control.per_user = None if unlimited else per_user if per_user is not None else control.per_user
    session.add(control)
    session.flush()
    if control.paused:
        _call_back(session)
    else:
        dispatch(session)
    return queue_row(session, actor)


def set_priority(session: Session, actor: Actor, job_id: int, word: str) -> JobRow:
    """Moves one's own waiting job before or behind the others.

    Raises:
        Invalid: no such priority. NotAllowed: high, and not an administrator. Conflict: it does not wait.
    """
    if word not in WORDS:
        raise Invalid("Choose low, normal or high.", "priority")
    if WORDS[word] is Priority.HIGH and not actor.is_admin:
        raise NotAllowed("Only an administrator may put a job before everybody else's.")
    job = owned_job(session, actor, job_id)
    own = (col(TrainingJob.id) == job_id, col(TrainingJob.status) == JobStatus.QUEUED)
    change = update(TrainingJob).where(*own).values(priority=int(WORDS[word]))
    if session.exec(change.execution_options(synchronize_session="fetch")).rowcount != 1:
        raise Conflict(f"{job.name} does not wait any more: it is {job.status.value}.")
    session.refresh(job)
    return job_row(job)


def drain_worker(session: Session, actor: Actor, name: str, draining: bool = True) -> None:
    """Lets a worker end what it does and take nothing more; or take work again.

    Raises:
        NotAllowed: not an administrator. NotFound: no such worker.
    """
    worker = session.get(Worker, name)
    if worker is None:
        raise NotFound("There is no such worker; it may have ended.")
    if not actor.is_admin:
        raise NotAllowed(_ADMIN)
    worker.draining = draining
    session.add(worker)
    session.flush()
    if not draining:
        dispatch(session)


def _call_back(session: Session) -> None:
    """Takes the letters back that no worker has opened yet."""
    out = (col(TrainingJob.status) == JobStatus.QUEUED, col(TrainingJob.sent_at).is_not(None))
    letters = [
        (train_key(job_id or 0, attempt + 1), box or CPU)
        for job_id, attempt, box in session.exec(
            select(TrainingJob.id, TrainingJob.attempt, TrainingJob.pool).where(*out)
        )
    ]
    session.exec(update(TrainingJob).where(*out).values(sent_at=None))
    for key, box in letters:
        after_commit(session, lambda key=key, box=box: withdraw(key, box))
