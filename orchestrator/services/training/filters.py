"""Filters of the job list: by owner, and the datasets, models and owners that can be chosen."""

from collections.abc import Collection
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Mapped
from sqlmodel import Session, col

from orchestrator.domain.training_jobs import TrainingJob
from orchestrator.domain.users import Actor, User

EVERYBODY = "all"
MAX_CHOICES = 100
"""Choices of each kind, the latest used first; older ones are found by search."""


@dataclass(frozen=True, slots=True)
class FilterChoices:
    """What can be chosen, as (value, name)."""

    datasets: list[tuple[int, str]] = field(default_factory=list)
    models: list[tuple[int, str]] = field(default_factory=list)
    owners: list[str] = field(default_factory=list)
    """Usernames, for an administrator; empty for all others."""


def owner_filter(actor: Actor, owner: str = "") -> tuple[ColumnElement[bool], ...]:
    """Conditions on the owner of a job.

    Args:
        owner: "" for the actor's own jobs; `EVERYBODY` or a username for an administrator. For other users a name that
            is not their own matches nothing, as if that user had no jobs.
    """
    username = owner.strip()
    if not actor.is_admin or not username or username == actor.username:
        own = col(TrainingJob.owner_id) == actor.user_id
        return (own, col(TrainingJob.id) < 0) if username and username != actor.username else (own,)
    if username == EVERYBODY:
        return ()
    user = select(col(User.id)).where(col(User.username_key) == username.casefold())
    return (col(TrainingJob.owner_id).in_(user),)


def job_choices(session: Session, actor: Actor, owner: str = "") -> FilterChoices:
    """The datasets and models of the jobs that `owner` selects, and for an administrator the owners."""
    conditions = owner_filter(actor, owner)

    def used(key: Mapped[int | None], name: Mapped[str]) -> list[tuple[int, str]]:
        statement = select(key, func.max(name)).where(*conditions, key.is_not(None)).group_by(key)
        return [
            (int(value), str(label))
            for value, label in session.execute(statement.order_by(key.desc()).limit(MAX_CHOICES))
        ]

    owners: list[str] = []
    if actor.is_admin:
        ids = select(col(TrainingJob.owner_id)).distinct()
        names = (
            select(col(User.username)).where(col(User.id).in_(ids)).order_by(col(User.username_key)).limit(MAX_CHOICES)
        )
        owners = list(session.scalars(names))
    return FilterChoices(
        used(col(TrainingJob.dataset_id), col(TrainingJob.dataset_name)),
        used(col(TrainingJob.model_id), col(TrainingJob.model_name)),
        owners,
    )


def usernames(session: Session, ids: Collection[int]) -> dict[int, str]:
    """The usernames of these users, by id."""
    users = select(col(User.id), col(User.username)).where(col(User.id).in_(ids))
    return {row[0]: row[1] for row in session.execute(users)}
