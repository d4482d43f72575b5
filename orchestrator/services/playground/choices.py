"""What the playground offers to choose from: bases, adapters and datasets that are ready."""

from dataclasses import dataclass

from sqlmodel import Session, col, or_, select

from orchestrator.domain.datasets import Dataset, DatasetStatus
from orchestrator.domain.families import FAMILIES
from orchestrator.domain.models import ModelStatus, VideoModel
from orchestrator.domain.tasks import TASK_OF_MODEL, AnswerKind
from orchestrator.domain.users import Actor
from orchestrator.services.playground.adapters import list_adapters

MAX_LISTED = 200


@dataclass(frozen=True, slots=True)
class BaseChoice:
    """A base model; `takes_question`: whether it reads a prompt."""

    id: int
    name: str
    task: str
    takes_question: bool


@dataclass(frozen=True, slots=True)
class AdapterChoice:
    """An adapter, its job, and its dataset, which is None when it was deleted."""

    id: int
    name: str
    job_id: int
    model_id: int
    task: str
    dataset_id: int | None
    question: str = ""
    """What a clip is asked where nobody asks; "" for a caption."""


@dataclass(frozen=True, slots=True)
class DatasetChoice:
    """A dataset that has clips."""

    id: int
    name: str
    task: str
    clips: int


@dataclass(frozen=True, slots=True)
class Choices:
    """Everything to choose from; adapters only where their base is among the bases."""

    bases: list[BaseChoice]
    adapters: list[AdapterChoice]
    datasets: list[DatasetChoice]


def choices(session: Session, actor: Actor) -> Choices:
    """The actor's own records and the built-in bases, the newest first."""
    visible = or_(col(VideoModel.owner_id).is_(None), col(VideoModel.owner_id) == actor.user_id)
    models = session.exec(
        select(VideoModel)
        .where(visible, VideoModel.status == ModelStatus.READY)
        .order_by(col(VideoModel.owner_id).is_(None), col(VideoModel.id).desc())
        .limit(MAX_LISTED)
    )
    bases = [_base_choice(model) for model in models]
    mine = (Dataset.owner_id == actor.user_id, Dataset.status == DatasetStatus.READY, Dataset.clip_count > 0)
    ready = session.exec(select(Dataset).where(*mine).order_by(col(Dataset.id).desc()).limit(MAX_LISTED))
    datasets = [DatasetChoice(row.id or 0, row.name, str(row.task), row.clip_count) for row in ready]
    tasks, known = {base.id: base.task for base in bases}, {dataset.id for dataset in datasets}
    adapters = [
        AdapterChoice(
            facts.id,
            facts.name,
            facts.source_job,
            facts.model_id,
            tasks[facts.model_id],
            facts.dataset_id if facts.dataset_id in known else None,
            facts.question,
        )
        for facts in list_adapters(session, actor)
        if facts.model_id in tasks
    ]
    return Choices(bases, adapters, datasets)


def _base_choice(model: VideoModel) -> BaseChoice:
    return BaseChoice(model.id or 0, model.name, TASK_OF_MODEL[model.model_type].key.value, reads_prompt(model))


def reads_prompt(model: VideoModel) -> bool:
    """Whether a base reads a question, and not the clip alone."""
    family = FAMILIES.get(model.family)
    writes = TASK_OF_MODEL[model.model_type].answer is AnswerKind.TEXT
    return writes and (family is None or family.takes_question)
