"""Rehearsals: a worker runs two real steps of a recipe before the launch and records their memory and time."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated, Any

from sqlalchemy import update
from sqlmodel import Session, col, select

from orchestrator.domain.base import utcnow
from orchestrator.domain.datasets import Dataset
from orchestrator.domain.errors import Conflict, Invalid, NotFound
from orchestrator.domain.json_schemas import Described, OneOf
from orchestrator.domain.machines import PREP
from orchestrator.domain.models import VideoModel
from orchestrator.domain.recipes import Recipe
from orchestrator.domain.redis_keys import TASK_REHEARSE
from orchestrator.domain.rehearsals import Rehearsal, RehearsalFacts, RehearsalStatus
from orchestrator.domain.users import Actor
from orchestrator.domain.workers import ALIVE_S, Worker
from orchestrator.services.after_commit import after_commit
from orchestrator.services.fair_turns import Share
from orchestrator.services.queue import enqueue, rehearsal_key
from orchestrator.services.training.continuing import continued
from orchestrator.services.training.preflight import preflight
from orchestrator.services.training.rehearsal_lookup import recipe_shape_digest

TIMEOUT = timedelta(minutes=10)
"""How long a rehearsal may wait and run before it counts as failed."""
_PENDING = (RehearsalStatus.WAITING, RehearsalStatus.RUNNING)


@dataclass(frozen=True, slots=True)
class RehearsalRow:
    """A rehearsal, for the job form and REST."""

    id: int
    status: Annotated[str, OneOf(RehearsalStatus)]
    device: str
    error: str
    created_at: datetime
    finished_at: datetime | None
    result: Annotated[dict[str, Any], Described(RehearsalFacts)] = field(default_factory=dict)
    error_field: str = ""
    """The field of the recipe that `error` is about, such as "optim.batch_size"; "" where it is about none."""


def request_rehearsal(
    session: Session, actor: Actor, dataset_id: int, model_id: int, recipe: Recipe, dataset_version: int = 0
) -> RehearsalRow:
    """Has a worker run two steps of a recipe; a second request for the same recipe returns the same rehearsal.

    Args:
        dataset_version: the version to learn from; 0 for the newest.

    Raises:
        Invalid: the recipe cannot be launched. Conflict: no worker is alive, or the actor has another rehearsal.
    """
    plan = preflight(session, actor, dataset_id, model_id, recipe, dataset_version)
    problems = [problem for problem in plan.problems if problem[0] not in plan.guesses]
    if problems:
        raise Invalid(problems[0][1], problems[0][0], problems)
    model, dataset = session.get_one(VideoModel, model_id), session.get_one(Dataset, dataset_id)
    recipe, version = continued(session, actor, recipe, model, dataset).recipe, dataset_version or dataset.version
    shape = recipe_shape_digest(dataset_id, version, model, recipe)
    _fail_overdue(session, actor)
    pending = session.exec(select(Rehearsal).where(_owned_by(actor), col(Rehearsal.status).in_(_PENDING))).first()
    if pending is not None and pending.shape == shape:
        return _row(pending)
    if pending is not None:
        raise Conflict("Another rehearsal of yours is running. Wait a moment, then try again.")
    if not _has_live_worker(session):
        raise Conflict("No worker is running. Start one with ./loreel worker, then try again.")
    record = Rehearsal(
        owner_id=actor.user_id,
        dataset_id=dataset_id,
        dataset_version=version,
        model_id=model_id,
        shape=shape,
        recipe=recipe.model_dump(mode="json"),
    )
    session.add(record)
    session.flush()
    number = record.id
    assert number is not None
    key, share = rehearsal_key(number), Share(actor.user_id)
    after_commit(session, lambda: enqueue(TASK_REHEARSE, key, PREP, share, rehearsal_id=number))
    return _row(record)


def get_rehearsal(session: Session, actor: Actor, rehearsal_id: int) -> RehearsalRow:
    """A rehearsal of the actor's.

    Raises:
        NotFound: it does not exist, or belongs to another user.
    """
    record = session.get(Rehearsal, rehearsal_id)
    if record is None or record.owner_id != actor.user_id:
        raise NotFound("There is no such rehearsal.")
    _fail_overdue(session, actor)
    session.refresh(record)
    return _row(record)


def claim(session: Session, rehearsal_id: int, device: str) -> Rehearsal | None:
    """Marks a waiting rehearsal as running, for the worker that took its message.

    Returns:
        None when it was deleted, taken by another worker, or has failed.
    """
    changed = session.exec(
        update(Rehearsal)
        .where(col(Rehearsal.id) == rehearsal_id, col(Rehearsal.status) == RehearsalStatus.WAITING)
        .values(status=RehearsalStatus.RUNNING, device=device)
    ).rowcount
    return session.get(Rehearsal, rehearsal_id, populate_existing=True) if changed else None


def finish(session: Session, rehearsal_id: int, result: dict[str, Any], error: str = "") -> bool:
    """Records the result of a running rehearsal.

    Args:
        result: the measurements; of a failed one only `field`, the field of the recipe that `error` is about.
        error: the sentence of a failed one, else "".

    Returns:
        False when it was not running any more.
    """
    status = RehearsalStatus.FAILED if error else RehearsalStatus.DONE
    return bool(
        session.exec(
            update(Rehearsal)
            .where(col(Rehearsal.id) == rehearsal_id, col(Rehearsal.status) == RehearsalStatus.RUNNING)
            .values(status=status, result=result, error=error[:1000], finished_at=utcnow())
        ).rowcount
    )


def _owned_by(actor: Actor) -> Any:
    return Rehearsal.owner_id == actor.user_id


def _fail_overdue(session: Session, actor: Actor) -> None:
    """Marks rehearsals as failed that took too long, because a message can be lost and a worker can die."""
    session.exec(
        update(Rehearsal)
        .where(_owned_by(actor), col(Rehearsal.status).in_(_PENDING), col(Rehearsal.created_at) < utcnow() - TIMEOUT)
        .values(status=RehearsalStatus.FAILED, error="No worker finished it in time. Try again.", finished_at=utcnow())
    )


def _has_live_worker(session: Session) -> bool:
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
