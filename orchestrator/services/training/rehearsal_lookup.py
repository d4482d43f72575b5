"""Finds the rehearsal that predicts a recipe: one of the same shape, else the newest on the same base."""

import hashlib
import json

from sqlmodel import Session, col, select

from orchestrator.domain.models import VideoModel
from orchestrator.domain.recipes import Recipe, parse_recipe, stored_recipe
from orchestrator.domain.rehearsals import Rehearsal, RehearsalStatus
from orchestrator.domain.users import Actor
from orchestrator.services.training.clip_shapes import largest_clip
from orchestrator.services.training.estimate import Measurement, adapter_parameters
from orchestrator.services.training.memory import memory_of

_MAX_SEARCHED = 20
"""How many of the newest rehearsals are searched."""


def find_measurement(
    session: Session, actor: Actor, dataset_id: int, version: int, model: VideoModel, recipe: Recipe
) -> Measurement | None:
    """What the actor's rehearsals say of a recipe: the same shape if there is one, else the newest on this base.

    Args:
        version: the version of the dataset to learn from.
    """
    done = (
        select(Rehearsal)
        .where(
            Rehearsal.owner_id == actor.user_id,
            Rehearsal.model_id == model.id,
            Rehearsal.status == RehearsalStatus.DONE,
        )
        .order_by(col(Rehearsal.id).desc())
        .limit(_MAX_SEARCHED)
    )
    rehearsals = list(session.exec(done))
    shape = recipe_shape_digest(dataset_id, version, model, recipe)
    same_shape = (row for row in rehearsals if row.shape == shape)
    same_base = (row for row in rehearsals if row.result.get("revision") == model.revision)
    record = next(same_shape, None) or next(same_base, None)
    if record is None:
        return None
    rehearsed = parse_recipe(stored_recipe(record.recipe))
    trainable = adapter_parameters(model, rehearsed) if rehearsed.qlora.enabled else model.parameters
    facts = record.result
    clip = largest_clip(session, dataset_id, model, rehearsed)
    return Measurement(
        memory=memory_of(model, rehearsed, trainable, gpu=facts.get("device_class") == "gpu", clip=clip),
        memory_bytes=int(facts.get("memory_bytes") or 0),
        load_s=float(facts.get("load_s") or 0.0),
        step_s=float(facts.get("step_s") or 0.0),
        eval_s=float(facts.get("eval_s") or 0.0),
        decode_s=float(facts.get("decode_s") or 0.0),
        result=dict(facts),
        exact=record.shape == shape,
    )


def recipe_shape_digest(dataset_id: int, version: int, model: VideoModel, recipe: Recipe) -> str:
    """A digest of everything that determines memory and time per step; epochs, learning rate and seed do not count."""
    facts: dict[str, object] = {
        "dataset": dataset_id,
        "version": version,
        "model": model.id,
        "revision": model.revision,
        "type": recipe.training_type.value,
        "qlora": recipe.qlora.model_dump(mode="json", exclude={"alpha"}),
        "batch": recipe.optim.batch_size,
        "device": [recipe.optim.optimizer.value, recipe.optim.liger],
        "data": recipe.data.model_dump(mode="json", exclude={"validation_share"}),
    }
    usual = Recipe()
    options = {
        "chunk": (recipe.optim.chunk_size, usual.optim.chunk_size),
        "precision": (recipe.optim.precision.value, usual.optim.precision.value),
        "views": (recipe.eval.views, usual.eval.views),
        "augment": (recipe.augment.model_dump(), usual.augment.model_dump()),
    }
    # Rehearsals from before there were these options have none of them.
    facts |= {name: value for name, (value, default) in options.items() if value != default}
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
