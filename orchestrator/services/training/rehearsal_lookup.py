"""What rehearsals measured, found again for a recipe of the same shape and carried over to others."""

import hashlib
import json

from sqlmodel import Session, col, select

from orchestrator.domain.models import VideoModel
from orchestrator.domain.recipes import Recipe, parse_recipe
from orchestrator.domain.rehearsals import Rehearsal, RehearsalStatus
from orchestrator.domain.users import Actor
from orchestrator.services.training.estimate import Measured, adapter_parameters
from orchestrator.services.training.memory import memory_of

_LOOKED_AT = 20
"""Newest rehearsals that are searched for the same shape."""


def newest(session: Session, actor: Actor, dataset_id: int, model: VideoModel, recipe: Recipe) -> Measured | None:
    """What the actor's rehearsals say of a recipe: the same shape if there is one, else the newest on this base."""
    done = (
        select(Rehearsal)
        .where(
            Rehearsal.owner_id == actor.user_id,
            Rehearsal.model_id == model.id,
            Rehearsal.status == RehearsalStatus.DONE,
        )
        .order_by(col(Rehearsal.id).desc())
        .limit(_LOOKED_AT)
    )
    found = list(session.exec(done))
    shape = likeness(dataset_id, model, recipe)
    record = next((one for one in found if one.shape == shape), None) or next(
        (one for one in found if one.result.get("revision") == model.revision), None
    )
    if record is None:
        return None
    tried = parse_recipe(record.recipe)
    trainable = adapter_parameters(model, tried) if tried.qlora.enabled else model.parameters
    facts = record.result
    return Measured(
        memory=memory_of(model, tried, trainable, gpu=facts.get("device_class") == "gpu"),
        memory_bytes=int(facts.get("memory_bytes") or 0),
        load_s=float(facts.get("load_s") or 0.0),
        step_s=float(facts.get("step_s") or 0.0),
        eval_s=float(facts.get("eval_s") or 0.0),
        decode_s=float(facts.get("decode_s") or 0.0),
        result=dict(facts),
        exact=record.shape == shape,
    )


def likeness(dataset_id: int, model: VideoModel, recipe: Recipe) -> str:
    """What two runs must share to take the same memory and time a step; epochs, rate and seed do not count."""
    facts = {
        "dataset": dataset_id,
        "model": model.id,
        "revision": model.revision,
        "type": recipe.training_type.value,
        "qlora": recipe.qlora.model_dump(mode="json", exclude={"alpha"}),
        "batch": recipe.optim.batch_size,
        "device": [recipe.optim.optimizer.value, recipe.optim.liger],
        "data": recipe.data.model_dump(mode="json", exclude={"validation_share"}),
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
