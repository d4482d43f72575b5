"""Assigns waiting jobs to workers with free slots: by priority, then fairly between users."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from sqlalchemy import func, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from orchestrator.domain.base import utcnow
from orchestrator.domain.machines import parse_shape
from orchestrator.domain.queueing import QueueControl
from orchestrator.domain.redis_keys import TASK_TRAIN
from orchestrator.domain.training_jobs import ON_WORKER, JobStatus, TrainingJob
from orchestrator.services.after_commit import after_commit
from orchestrator.services.db import session_scope
from orchestrator.services.queue import enqueue, train_key
from orchestrator.services.training.capacity import PoolCounts, free_slots, suitable_pool

log = structlog.get_logger()
QUEUE_NAME = "training"
_LOOK_BACK = timedelta(days=1)


@dataclass(slots=True)
class FairShare:
    """How many jobs each user has running, and when the last of them started: what a fair choice depends on."""

    running: Counter[int] = field(default_factory=Counter)
    """Jobs that train or were sent to a worker, by owner."""
    last_start: dict[int, datetime] = field(default_factory=dict)
    """When a job of this owner was last sent to a worker."""
    per_user: int | None = None
    """How many jobs of one user may run at once; None: no limit."""

    def key(self, owner_id: int, priority: int, job_id: int) -> tuple[int, int, float, int]:
        """Sort key, the smallest goes first: priority, then the owner with the fewest running jobs, then the one whose
        last start is longest ago, then the older job."""
        last = self.last_start.get(owner_id)
        return (-priority, self.running[owner_id], last.timestamp() if last else 0.0, job_id)

    def may_start(self, owner_id: int) -> bool:
        """False when the owner has reached the limit of jobs per user."""
        return self.per_user is None or self.running[owner_id] < self.per_user

    def record_start(self, owner_id: int, now: datetime) -> None:
        """Counts a job of this owner as running from now on."""
        self.running[owner_id] += 1
        self.last_start[owner_id] = now


@dataclass(frozen=True, slots=True)
class Assignment:
    """A job and the worker pool that its message goes to."""

    job_id: int
    owner_id: int
    attempt: int
    """The number of the attempt that this starts."""
    pool: str


def dispatch(session: Session) -> list[int]:
    """Sends a message for as many waiting jobs as there are free slots; the others keep waiting in the database.

    Returns:
        The ids of the jobs that were sent, in their order.
    """
    unsent = (TrainingJob.status == JobStatus.QUEUED, col(TrainingJob.sent_at).is_(None))
    if session.exec(select(TrainingJob.id).where(*unsent).limit(1)).first() is None:
        return []
    control = lock_queue(session)
    slots = free_slots(session)
    if control.paused or not any(count > 0 for count in slots.values()):
        return []
    share = fair_share_of(session, control)
    sent: list[int] = []
    while (assignment := _next_assignment(session, share, slots)) is not None:
        _send(session, assignment)
        share.record_start(assignment.owner_id, utcnow())
        slots[assignment.pool] -= 1
        sent.append(assignment.job_id)
    return sent


def dispatch_after_commit(session: Session) -> None:
    """Calls `dispatch` after this commit, in a transaction of its own, because the commit frees a worker."""
    if not session.info.get("dispatch_after_commit"):
        session.info["dispatch_after_commit"] = True
        after_commit(session, _dispatch_now)


def _dispatch_now() -> None:
    with session_scope() as session:
        dispatch(session)


def lock_queue(session: Session) -> QueueControl:
    """The row that steers the queue, locked until the commit, so that only one process dispatches at a time."""
    lock = update(QueueControl).where(col(QueueControl.name) == QUEUE_NAME).values(turn=QueueControl.turn + 1)
    if session.exec(lock).rowcount == 0:
        try:
            with session.begin_nested():
                session.add(QueueControl(name=QUEUE_NAME))
        except IntegrityError:  # another process has created it
            session.exec(lock)
    control = session.get(QueueControl, QUEUE_NAME, populate_existing=True)
    assert control is not None
    return control


def fair_share_of(session: Session, control: QueueControl) -> FairShare:
    """The running jobs of all users."""
    share = FairShare(per_user=control.per_user)
    underway = col(TrainingJob.status).in_(ON_WORKER) | (
        (col(TrainingJob.status) == JobStatus.QUEUED) & col(TrainingJob.sent_at).is_not(None)
    )
    running = select(TrainingJob.owner_id, func.count(col(TrainingJob.id))).where(underway)
    share.running.update(dict(session.exec(running.group_by(col(TrainingJob.owner_id))).all()))
    recent = col(TrainingJob.sent_at) > utcnow() - _LOOK_BACK
    last_starts = select(TrainingJob.owner_id, func.max(TrainingJob.sent_at)).where(recent)
    for owner_id, at in session.exec(last_starts.group_by(col(TrainingJob.owner_id))):
        if at is not None:
            share.last_start[owner_id] = at
    return share


def _next_assignment(session: Session, share: FairShare, slots: PoolCounts) -> Assignment | None:
    """The next job whose owner may start one and whose hardware is free; None when there is none.

    A job that needs more than is free now is skipped and blocks no other job: it gets the first suitable worker
    that becomes free, before all jobs behind it.
    """
    first_of_each = (
        select(TrainingJob.owner_id, TrainingJob.priority, func.min(TrainingJob.id), TrainingJob.needs)
        .where(TrainingJob.status == JobStatus.QUEUED, col(TrainingJob.sent_at).is_(None))
        .group_by(col(TrainingJob.owner_id), col(TrainingJob.priority), col(TrainingJob.needs))
    )
    waiting = [
        (share.key(owner, priority, first or 0), owner, pool)
        for owner, priority, first, needs in session.exec(first_of_each)
        if share.may_start(owner) and (pool := suitable_pool(slots, parse_shape(needs)))
    ]
    if not waiting:
        return None
    key, owner_id, pool = min(waiting)
    attempt = session.exec(select(TrainingJob.attempt).where(TrainingJob.id == key[-1])).one()
    return Assignment(key[-1], owner_id, attempt + 1, pool)


def _send(session: Session, assignment: Assignment) -> None:
    job_id, attempt, pool = assignment.job_id, assignment.attempt, assignment.pool
    key = train_key(job_id, attempt)
    own = (col(TrainingJob.id) == job_id, col(TrainingJob.status) == JobStatus.QUEUED)
    statement = update(TrainingJob).where(*own).values(sent_at=utcnow(), pool=pool)
    session.exec(statement.execution_options(synchronize_session="fetch"))
    after_commit(session, lambda: enqueue(TASK_TRAIN, key, pool, job_id=job_id, attempt=attempt))


def return_to_queue(session: Session, job_id: int, attempt: int) -> None:
    """Takes back the message of a job that its worker must not run now: the job waits to be dispatched again."""
    own = (col(TrainingJob.id) == job_id, col(TrainingJob.status) == JobStatus.QUEUED)
    statement = update(TrainingJob).where(*own, col(TrainingJob.attempt) == attempt - 1).values(sent_at=None)
    session.exec(statement.execution_options(synchronize_session="fetch"))
