"""The values of a new job like an earlier one, and in what it will differ: the dataset's version, what was deleted."""

from dataclasses import dataclass, field
from typing import Any

from sqlmodel import Session

from orchestrator.domain.datasets import Dataset
from orchestrator.domain.errors import NotFound
from orchestrator.domain.models import VideoModel
from orchestrator.domain.numbers import parse_number
from orchestrator.domain.training_jobs import TrainingJob
from orchestrator.domain.users import Actor
from orchestrator.services.access import owned_adapter, owned_job

_DATASET, _MODEL = "dataset_id", "model_id"


@dataclass(frozen=True, slots=True)
class Clone:
    """What a new job takes over from an earlier one."""

    job_id: int
    job_name: str
    recipe: dict[str, Any]
    """With the next name of its output."""
    dataset_id: int | None
    """None when it was deleted, and so `model_id`."""
    model_id: int | None
    own_version: int
    """The version of the dataset that the job learned from."""
    newest_version: int
    """The version that a new job learns from unless it asks for another; 0 when the dataset was deleted."""
    deleted: dict[str, str] = field(default_factory=dict)
    """A sentence for each of `dataset_id` and `model_id` that was deleted."""
    notes: list[str] = field(default_factory=list)
    """Sentences on how the new job will differ."""


def clone_job(session: Session, actor: Actor, job_id: int) -> Clone:
    """The values of a new job like this one of the actor's.

    Raises:
        NotFound: it does not exist, or belongs to another user.
    """
    job = owned_job(session, actor, job_id)
    dataset = session.get(Dataset, job.dataset_id) if job.dataset_id else None
    model = session.get(VideoModel, job.model_id) if job.model_id else None
    deleted = {}
    if dataset is None:
        deleted[_DATASET] = f"The dataset {job.dataset_name} of this job was deleted. Choose another one."
    if model is None:
        deleted[_MODEL] = f"The base model {job.model_name} of this job was deleted. Choose another one."
    recipe = dict(job.recipe)
    recipe["output_name"] = next_name(str(recipe.get("output_name") or job.name))
    notes = _adapter_notes(session, actor, recipe)
    return Clone(
        job_id=job_id,
        job_name=job.name,
        recipe=recipe,
        dataset_id=dataset.id if dataset else None,
        model_id=model.id if model else None,
        own_version=job.dataset_version,
        newest_version=dataset.version if dataset else 0,
        deleted=deleted,
        notes=[*notes, *_version_notes(job, dataset), *_revision_notes(job, model)],
    )


def _adapter_notes(session: Session, actor: Actor, recipe: dict[str, Any]) -> list[str]:
    """Takes an adapter that was deleted out of the recipe, and says so."""
    if recipe.get("adapter") is None:
        return []
    try:
        owned_adapter(session, actor, recipe["adapter"])
    except NotFound:
        recipe["adapter"] = None
        return ["The adapter that it continued from was deleted. The new job begins with new weights."]
    return []


def _version_notes(job: TrainingJob, dataset: Dataset | None) -> list[str]:
    if dataset is None or dataset.version == job.dataset_version:
        return []
    return [
        f"{job.name} learned from version {job.dataset_version} of {dataset.name}. The new job takes version "
        f"{dataset.version}, the newest, unless you choose version {job.dataset_version}."
    ]


def _revision_notes(job: TrainingJob, model: VideoModel | None) -> list[str]:
    if model is None or not job.model_revision or model.revision == job.model_revision:
        return []
    return [f"{model.name} has other weights than when {job.name} was launched."]


def next_name(name: str) -> str:
    """The name with the next number: adapter -> adapter-2, adapter-2 -> adapter-3."""
    stem, dash, number = name.rpartition("-")
    if dash and len(number) < 5 and (count := parse_number(number)) is not None:
        return f"{stem}-{count + 1}"[:64]
    return f"{name[:61].rstrip('-')}-2"
