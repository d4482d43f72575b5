"""Decides whose turn it is: hands waiting jobs to workers with room, by priority and then fairly between people."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from sqlalchemy import func, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from orchestrator.domain.base import utcnow
from orchestrator.domain.machines import shape_of
from orchestrator.domain.queueing import QueueControl
from orchestrator.domain.redis_keys import TASK_TRAIN
from orchestrator.domain.training_jobs import ON_WORKER, JobStatus, TrainingJob
from orchestrator.services.after_commit import after_commit
from orchestrator.services.db import session_scope
from orchestrator.services.queue import enqueue, train_key
from orchestrator.services.training.capacity import Boxes, room_of, suiting

log = structlog.get_logger()
NAME = "training"
_LOOK_BACK = timedelta(days=1)


@dataclass(slots=True)
class Turns:
    """Who holds how much and who began last: what a fair choice needs to know."""

    held: Counter[int] = field(default_factory=Counter)
    """Jobs that train or are on their way to a worker, by owner."""
    began: dict[int, datetime] = field(default_factory=dict)
    """When a job of that person was last started or sent."""
    per_user: int | None = None

    def key(self, owner_id: int, priority: int, job_id: int) -> tuple[int, int, float, int]:
        """The smallest goes first: priority, then who holds least, then who waited longest, then the older job."""
        began = self.began.get(owner_id)
        return (-priority, self.held[owner_id], began.timestamp() if began else 0.0, job_id)

    def may(self, owner_id: int) -> bool:
        """False when the person has all that one may hold."""
        return self.per_user is None or self.held[owner_id] < self.per_user

    def take(self, owner_id: int, now: datetime) -> None:
        """The person got one."""
        self.held[owner_id] += 1
        self.began[owner_id] = now


@dataclass(frozen=True, slots=True)
class Turn:
    """Whose turn it is, and the box where the letter goes."""

    job_id: int
    owner_id: int
    attempt: int
    """The one that begins."""
    box: str


def dispatch(session: Session) -> list[int]:
    """Sends letters for as many waiting jobs as workers have room for; says which. The rest waits in SQL."""
    unsent = (TrainingJob.status == JobStatus.QUEUED, col(TrainingJob.sent_at).is_(None))
    if session.exec(select(TrainingJob.id).where(*unsent).limit(1)).first() is None:
        return []
    control = take_turn(session)
    room = room_of(session)
    if control.paused or not any(left > 0 for left in room.values()):
        return []
    turns = turns_of(session, control)
    sent: list[int] = []
    while (turn := _next(session, turns, room)) is not None:
        _send(session, turn)
        turns.take(turn.owner_id, utcnow())
        room[turn.box] -= 1
        sent.append(turn.job_id)
    return sent


def dispatch_soon(session: Session) -> None:
    """The same once after this commit, in a transaction of its own: a worker becomes free with it."""
    if not session.info.get("dispatch_soon"):
        session.info["dispatch_soon"] = True
        after_commit(session, _dispatch_now)


def _dispatch_now() -> None:
    with session_scope() as session:
        dispatch(session)


def take_turn(session: Session) -> QueueControl:
    """The control's row, locked until the commit: nobody else hands work out meanwhile."""
    turn = update(QueueControl).where(col(QueueControl.name) == NAME).values(turn=QueueControl.turn + 1)
    if session.exec(turn).rowcount == 0:
        try:
            with session.begin_nested():
                session.add(QueueControl(name=NAME))
        except IntegrityError:  # somebody else was the first
            session.exec(turn)
    control = session.get(QueueControl, NAME, populate_existing=True)
    assert control is not None
    return control


def turns_of(session: Session, control: QueueControl) -> Turns:
    """What everybody holds now."""
    turns = Turns(per_user=control.per_user)
    underway = col(TrainingJob.status).in_(ON_WORKER) | (
        (col(TrainingJob.status) == JobStatus.QUEUED) & col(TrainingJob.sent_at).is_not(None)
    )
    held = select(TrainingJob.owner_id, func.count(col(TrainingJob.id))).where(underway)
    turns.held.update(dict(session.exec(held.group_by(col(TrainingJob.owner_id))).all()))
    recent = col(TrainingJob.sent_at) > utcnow() - _LOOK_BACK
    began = select(TrainingJob.owner_id, func.max(TrainingJob.sent_at)).where(recent)
    for owner_id, at in session.exec(began.group_by(col(TrainingJob.owner_id))):
        if at is not None:
            turns.began[owner_id] = at
    return turns


def _next(session: Session, turns: Turns, room: Boxes) -> Turn | None:
    """Who is next of those who may and whose machine is free; None when there is nobody.

    A job that asks for more than is free now is passed over, not waited for: it takes the first worker that it fits
    on as soon as that one is free, before everybody who comes after it.
    """
    fronts = (
        select(TrainingJob.owner_id, TrainingJob.priority, func.min(TrainingJob.id), TrainingJob.needs)
        .where(TrainingJob.status == JobStatus.QUEUED, col(TrainingJob.sent_at).is_(None))
        .group_by(col(TrainingJob.owner_id), col(TrainingJob.priority), col(TrainingJob.needs))
    )
    waiting = [
        (turns.key(owner, priority, first or 0), owner, box)
        for owner, priority, first, needs in session.exec(fronts)
        if turns.may(owner) and (box := suiting(room, shape_of(needs)))
    ]
    if not waiting:
        return None
    key, owner_id, box = min(waiting)
    attempt = session.exec(select(TrainingJob.attempt).where(TrainingJob.id == key[-1])).one()
    return Turn(key[-1], owner_id, attempt + 1, box)


def _send(session: Session, turn: Turn) -> None:
    key = train_key(turn.job_id, turn.attempt)
    own = (col(TrainingJob.id) == turn.job_id, col(TrainingJob.status) == JobStatus.QUEUED)
    statement = update(TrainingJob).where(*own).values(sent_at=utcnow(), pool=turn.box)
    session.exec(statement.execution_options(synchronize_session="fetch"))
    after_commit(session, lambda: enqueue(TASK_TRAIN, key, turn.box, job_id=turn.job_id, attempt=turn.attempt))


def take_back(session: Session, job_id: int, attempt: int) -> None:
    """A worker may not do this letter now: the job waits for its turn again."""
    own = (col(TrainingJob.id) == job_id, col(TrainingJob.status) == JobStatus.QUEUED)
    statement = update(TrainingJob).where(*own, col(TrainingJob.attempt) == attempt - 1).values(sent_at=None)
    session.exec(statement.execution_options(synchronize_session="fetch"))
