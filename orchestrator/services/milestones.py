"""The first steps of an account: what of them is done, by the records that exist and by what was done once."""

from dataclasses import dataclass

from sqlalchemy import delete, exists
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlmodel import Session, col, select

from orchestrator.domain.base import utcnow
from orchestrator.domain.datasets import Dataset, DatasetStatus
from orchestrator.domain.training_jobs import JobStatus, TrainingJob
from orchestrator.domain.users import Actor, Milestone, UserMilestone


@dataclass(frozen=True, slots=True)
class FirstSteps:
    """What a new account has done."""

    demo_trained: bool = False
    clips_added: bool = False
    """It has a dataset of its own that can be trained on."""
    own_training: bool = False
    """A job on such a dataset has completed."""
    playground: bool = False
    downloaded: bool = False
    hidden: bool = False
    """The checklist was put away."""


def reach(session: Session, actor: Actor, milestone: Milestone) -> None:
    """Stores that the actor did this; a second time changes nothing."""
    insert = postgres_insert if session.get_bind().dialect.name == "postgresql" else sqlite_insert
    values = {"user_id": actor.user_id, "name": milestone.value, "reached_at": utcnow()}
    session.exec(insert(UserMilestone).values(**values).on_conflict_do_nothing(index_elements=["user_id", "name"]))


def hide_checklist(session: Session, actor: Actor, hidden: bool = True) -> None:
    """Puts the checklist away, or shows it again."""
    if hidden:
        reach(session, actor, Milestone.CHECKLIST_HIDDEN)
        return
    mine = col(UserMilestone.user_id) == actor.user_id
    session.exec(delete(UserMilestone).where(mine, col(UserMilestone.name) == Milestone.CHECKLIST_HIDDEN))


def first_steps(session: Session, actor: Actor) -> FirstSteps:
    """What the actor has done of the checklist."""
    names = set(session.exec(select(UserMilestone.name).where(UserMilestone.user_id == actor.user_id)))
    if Milestone.CHECKLIST_HIDDEN in names:
        return FirstSteps(hidden=True)
    completed = (
        select(Dataset.is_demo)
        .join(TrainingJob, col(TrainingJob.dataset_id) == col(Dataset.id))
        .where(TrainingJob.owner_id == actor.user_id, TrainingJob.status == JobStatus.COMPLETED)
        .distinct()
    )
    trained_on = set(session.exec(completed))
    own_clips = exists().where(
        col(Dataset.owner_id) == actor.user_id,
        col(Dataset.is_demo).is_(False),
        col(Dataset.status) == DatasetStatus.READY,
        col(Dataset.clip_count) > 0,
    )
    return FirstSteps(
        demo_trained=True in trained_on,
        clips_added=bool(session.scalar(select(own_clips))),
        own_training=False in trained_on,
        playground=Milestone.PLAYGROUND in names,
        downloaded=Milestone.DOWNLOAD in names,
    )
