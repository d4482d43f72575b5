"""Two real steps before the launch: asks a worker for them and keeps what they took."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import update
from sqlmodel import Session, col, select

from orchestrator.domain.base import utcnow
from orchestrator.domain.errors import Conflict, Invalid, NotFound
from orchestrator.domain.machines import PREP
from orchestrator.domain.models import VideoModel
from orchestrator.domain.recipes import Recipe
from orchestrator.domain.redis_keys import TASK_REHEARSE
from orchestrator.domain.rehearsals import Rehearsal, RehearsalStatus
from orchestrator.domain.users import Actor
from orchestrator.domain.workers import ALIVE_S, Worker
from orchestrator.services.after_commit import after_commit
from orchestrator.services.queue import enqueue, rehearsal_key
from orchestrator.services.training.preflight import preflight
from orchestrator.services.training.rehearsal_lookup import likeness

PATIENCE = timedelta(minutes=10)
"""How long a rehearsal may wait and run before it counts as lost."""
_OPEN = (RehearsalStatus.WAITING, RehearsalStatus.RUNNING)


@dataclass(frozen=True, slots=True)
class RehearsalRow:
    """A rehearsal as the wizard and the REST answer show it."""

    id: int
    status: str
    """waiting | running | done | failed."""
    device: str
    error: str
    created_at: datetime
    finished_at: datetime | None
    result: dict[str, Any] = field(default_factory=dict)
    """Sizes in bytes, times in seconds; `targets`: the layers that got an adapter, by name ending."""
    error_field: str = ""
    """The field of the recipe that `error` is about, as "optim.batch_size"; "" where it is about none."""


def ask_rehearsal(session: Session, actor: Actor, dataset_id: int, model_id: int, recipe: Recipe) -> RehearsalRow:
    """Has a worker try two steps of a recipe that a launch would take; asking twice gives the same rehearsal.

    Raises:
        Invalid: the recipe cannot be launched. Conflict: no worker answers, or another rehearsal of theirs goes on.
    """
    plan = preflight(session, actor, dataset_id, model_id, recipe)
    refusals = [problem for problem in plan.problems if problem[0] not in plan.guesses]
    if refusals:
        raise Invalid(refusals[0][1], refusals[0][0], refusals)
    model = session.get_one(VideoModel, model_id)
    shape = likeness(dataset_id, model, recipe)
    _forget_lost(session, actor)
    going = session.exec(select(Rehearsal).where(_own(actor), col(Rehearsal.status).in_(_OPEN))).first()
    if going is not None and going.shape == shape:
        return _row(going)
    if going is not None:
        raise Conflict("Another rehearsal of yours goes on. Wait a moment, then try again.")
    if not _somebody_reads(session):
        raise Conflict("No worker is running. Start one with ./loreel worker, then try again.")
    record = Rehearsal(
        owner_id=actor.user_id,
        dataset_id=dataset_id,
        model_id=model_id,
        shape=shape,
        recipe=recipe.model_dump(mode="json"),
    )
    session.add(record)
    session.flush()
    number = record.id
    assert number is not None
    after_commit(session, lambda: enqueue(TASK_REHEARSE, rehearsal_key(number), PREP, rehearsal_id=number))
    return _row(record)


def get_rehearsal(session: Session, actor: Actor, rehearsal_id: int) -> RehearsalRow:
    """One's own rehearsal.

    Raises:
        NotFound: there is none, or it is somebody else's.
    """
    record = session.get(Rehearsal, rehearsal_id)
    if record is None or record.owner_id != actor.user_id:
        raise NotFound("There is no such rehearsal.")
    _forget_lost(session, actor)
    session.refresh(record)
    return _row(record)


def claim(session: Session, rehearsal_id: int, device: str) -> Rehearsal | None:
    """Waiting to running; None when it is not there, taken, or given up."""
    changed = session.exec(
        update(Rehearsal)
        .where(col(Rehearsal.id) == rehearsal_id, col(Rehearsal.status) == RehearsalStatus.WAITING)
        .values(status=RehearsalStatus.RUNNING, device=device)
    ).rowcount
    return session.get(Rehearsal, rehearsal_id, populate_existing=True) if changed else None


def settle(session: Session, rehearsal_id: int, result: dict[str, Any], error: str = "") -> bool:
    """Running to done, or to failed with its sentence; `result` then holds no more than the `field` it is about."""
    status = RehearsalStatus.FAILED if error else RehearsalStatus.DONE
    return bool(
        session.exec(
            update(Rehearsal)
            .where(col(Rehearsal.id) == rehearsal_id, col(Rehearsal.status) == RehearsalStatus.RUNNING)
            .values(status=status, result=result, error=error[:1000], finished_at=utcnow())
        ).rowcount
    )


def _own(actor: Actor) -> Any:
    return Rehearsal.owner_id == actor.user_id


def _forget_lost(session: Session, actor: Actor) -> None:
    """A letter can be lost and a worker die: nobody waits for a rehearsal for ever."""
    session.exec(
        update(Rehearsal)
        .where(_own(actor), col(Rehearsal.status).in_(_OPEN), col(Rehearsal.created_at) < utcnow() - PATIENCE)
        .values(status=RehearsalStatus.FAILED, error="No worker finished it in time. Try again.", finished_at=utcnow())
    )


def _somebody_reads(session: Session) -> bool:
    fresh = utcnow() - timedelta(seconds=ALIVE_S)
    return session.exec(select(Worker.name).where(col(Worker.beat_at) > fresh).limit(1)).first() is not None


def _row(record: Rehearsal) -> RehearsalRow:
    assert record.id is not None
    return RehearsalRow(
        id=record.id,
        status=str(record.status),
        device=record.device,
        error=record.error,
        created_at=record.created_at,
        finished_at=record.finished_at,
        result={} if record.error else dict(record.result),
        error_field=str(record.result.get("field") or "") if record.error else "",
    )
