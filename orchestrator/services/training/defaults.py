"""The defaults of a recipe for a stored base and dataset: facts from the database, rules from the domain."""

from collections.abc import Mapping
from typing import Any

from sqlmodel import Session

from orchestrator.domain.datasets import Dataset
from orchestrator.domain.errors import NotFound
from orchestrator.domain.models import VideoModel
from orchestrator.domain.recipe_defaults import (
    CONTRASTIVE_BATCHES,
    BaseFacts,
    DatasetFacts,
    Default,
    defaults,
    fill_in,
)
from orchestrator.domain.recipes import Recipe, parse_recipe
from orchestrator.domain.tasks import TASK_OF_MODEL
from orchestrator.domain.users import Actor
from orchestrator.services.models.rows import vision_layout
from orchestrator.services.training.estimate import estimate
from orchestrator.services.training.split_counts import count_split
from orchestrator.services.workers import largest_device_memory


def recipe_defaults(session: Session, actor: Actor, dataset_id: int, model_id: int) -> list[Default]:
    """The default of each field for a base and a dataset, in the order of the job form.

    Args:
        dataset_id: 0 where none is chosen yet.

    Raises:
        NotFound: one of them does not exist, or belongs to another user.
    """
    model = _model(session, actor, model_id)
    dataset = session.get(Dataset, dataset_id) if dataset_id else None
    if model is None:
        raise NotFound("This model does not exist any more. Choose another one.", "model_id")
    if dataset_id and (dataset is None or dataset.owner_id != actor.user_id):
        raise NotFound("This dataset does not exist any more. Choose another one.", "dataset_id")
    return list(_defaults(session, model, dataset).values())


def with_defaults(
    session: Session, actor: Actor, dataset_id: int, model_id: int, raw: Mapping[str, Any]
) -> dict[str, Any]:
    """A recipe as text or JSON values, with the defaults of what it leaves out.

    Unchanged where base or dataset do not exist: the preflight says so.
    """
    model, dataset = _model(session, actor, model_id), session.get(Dataset, dataset_id)
    if model is None or dataset is None or dataset.owner_id != actor.user_id:
        return dict(raw)
    return fill_in(raw, _defaults(session, model, dataset))


def _model(session: Session, actor: Actor, model_id: int) -> VideoModel | None:
    model = session.get(VideoModel, model_id)
    return model if model is not None and model.owner_id in (None, actor.user_id) else None


def _defaults(session: Session, model: VideoModel, dataset: Dataset | None) -> dict[str, Default]:
    task, experts = TASK_OF_MODEL[model.model_type], bool((vision_layout(model) or {}).get("experts"))
    base = BaseFacts(model.parameters, model.family, experts)
    if not task.contrastive or base.is_tiny:
        return defaults(base, task.key)
    recipe = Recipe()
    share, seed = recipe.data.validation_share, recipe.optim.seed
    clips = count_split(session, dataset.id or 0, share, 0, seed).train if dataset else 0
    return defaults(base, task.key, DatasetFacts(clips, _largest_batch(session, model, clips)))


def _largest_batch(session: Session, model: VideoModel, clips: int) -> int:
    """The largest batch of a retriever whose memory is estimated to fit the largest device of the live workers."""
    gpu_memory, memory = largest_device_memory(session, True), largest_device_memory(session, False)
    available = gpu_memory or memory
    for batch in CONTRASTIVE_BATCHES[:-1]:
        recipe = parse_recipe({"optim": {"batch_size": batch}})
        needed = estimate(model, recipe, clips, gpu=bool(gpu_memory)).memory_bytes
        if not available or needed <= available:
            return batch
    return CONTRASTIVE_BATCHES[-1]
