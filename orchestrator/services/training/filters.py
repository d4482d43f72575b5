"""By what a list of jobs may be narrowed: whose they are, and the datasets, models and people that it knows."""

from collections.abc import Collection
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, func, select
from sqlmodel import Session, col

from orchestrator.domain.training_jobs import TrainingJob
from orchestrator.domain.users import Actor, User

EVERYBODY = "all"
MOST = 100
"""Choices of a kind, the latest used first; older ones are found by search."""


@dataclass(frozen=True, slots=True)
class Choices:
    """What may be chosen, as (value, name)."""

    datasets: list[tuple[int, str]] = field(default_factory=list)
    models: list[tuple[int, str]] = field(default_factory=list)
    owners: list[str] = field(default_factory=list)
    """Usernames, for an administrator; empty for everybody else."""


def whose(actor: Actor, owner: str = "") -> tuple[ColumnElement[bool], ...]:
    """Conditions on a job: one's own, unless an administrator asks for somebody else's or everybody's."""
    wanted = owner.strip()
    if not actor.is_admin or not wanted or wanted == actor.username:
        own = col(TrainingJob.owner_id) == actor.user_id
        # Whoever may not ask finds nothing, as if that person had no jobs.
        return (own, col(TrainingJob.id) < 0) if wanted and wanted != actor.username else (own,)
    if wanted == EVERYBODY:
        return ()
    person = select(col(User.id)).where(col(User.username_key) == wanted.casefold())
    return (col(TrainingJob.owner_id).in_(person),)


def job_choices(session: Session, actor: Actor, owner: str = "") -> Choices:
    """The datasets and models of the jobs that `owner` names, and for an administrator the people."""
    mine = whose(actor, owner)

    def used(key: object, name: object) -> list[tuple[int, str]]:
        found = select(key, func.max(name)).where(*mine, key.is_not(None)).group_by(key)  # type: ignore[call-overload]
        return [(int(one), str(word)) for one, word in session.execute(found.order_by(key.desc()).limit(MOST))]  # type: ignore[attr-defined]

    people: list[str] = []
    if actor.is_admin:
        held = select(col(TrainingJob.owner_id)).distinct()
        named = select(col(User.username)).where(col(User.id).in_(held)).order_by(col(User.username_key)).limit(MOST)
        people = list(session.scalars(named))
    return Choices(
        used(col(TrainingJob.dataset_id), col(TrainingJob.dataset_name)),
        used(col(TrainingJob.model_id), col(TrainingJob.model_name)),
        people,
    )


def usernames(session: Session, ids: Collection[int]) -> dict[int, str]:
    """The names behind owners' ids."""
    found = select(col(User.id), col(User.username)).where(col(User.id).in_(ids))
    return {row[0]: row[1] for row in session.execute(found)}
