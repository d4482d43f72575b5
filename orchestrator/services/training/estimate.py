"""What a run will cost: steps, parameters, memory and time, from the files' facts and what a rehearsal measured."""

import math
from dataclasses import dataclass
from typing import Any

from orchestrator.domain.models import VideoModel
from orchestrator.domain.recipes import Recipe
from orchestrator.services.models.rows import layer_groups
from orchestrator.services.models.vision_tokens import visual_tokens
from orchestrator.services.training.memory import Memory, memory_of

_STRAYS = 3.0
"""Times by which activations may be more or less than they were said to be."""
_ADAPTER_BYTES = 4
"""Adapters are trained and saved in 32-bit floats."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What a rehearsal found. `memory` is what the estimate had said of the rehearsed recipe."""

    memory: Memory
    memory_bytes: int
    load_s: float
    step_s: float
    """One batch, there and back."""
    eval_s: float
    """One held-out clip."""
    decode_s: float
    """One clip, the first time it is looked at."""
    result: dict[str, Any]
    """All that it found."""
    exact: bool
    """True where memory and speed are of this very shape; False: of another batch, precision or frame count."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """Sizes in bytes, time in seconds; 0 where nothing is known."""

    steps: int
    trainable_parameters: int
    total_parameters: int
    memory_bytes: int
    seconds: float
    adapter_bytes: int
    visual_tokens: int = 0
    context: int = 0


def count_steps(recipe: Recipe, train_clips: int) -> int:
    """Optimizer steps: an epoch's last, smaller batch counts as one."""
    batches = math.ceil(train_clips / recipe.optim.batch_size) if train_clips else 0
    batches = math.ceil(batches / recipe.machine.gpus)
    steps = math.ceil(batches / recipe.optim.gradient_accumulation) * recipe.optim.epochs
    return min(steps, recipe.optim.max_steps) if recipe.optim.max_steps else steps


def adapter_parameters(model: VideoModel, recipe: Recipe) -> int:
    """Rank r adds r * (in + out) parameters a layer (Hu et al. 2021)."""
    chosen = set(recipe.qlora.target_modules)
    groups = [g for g in layer_groups(model) if (g["suffix"] in chosen if chosen else g.get("default", True))]
    if recipe.qlora.vision:
        groups += (model.details or {}).get("eye_layers") or []
    return sum(
        recipe.qlora.r * (int(g.get("in_features", 0)) + int(g.get("out_features", 0))) * int(g.get("count", 1))
        for g in groups
    )


def estimate(
    model: VideoModel,
    recipe: Recipe,
    train_clips: int,
    samples_per_s: float = 0.0,
    *,
    held_clips: int = 0,
    gpu: bool = False,
    measured: Measured | None = None,
) -> Estimate:
    """Steps, parameters, memory and time of a run.

    Args:
        samples_per_s: speed of an earlier run on the same base; without it and a rehearsal no time is given.
        measured: what the newest rehearsal on this base took.
    """
    adapters = adapter_parameters(model, recipe)
    trainable = adapters if recipe.qlora.enabled else model.parameters
    steps = count_steps(recipe, train_clips)
    sight = (model.details or {}).get("sight")
    return Estimate(
        steps=steps,
        trainable_parameters=trainable,
        total_parameters=model.parameters + (adapters if recipe.qlora.enabled else 0),
        memory_bytes=_memory(memory_of(model, recipe, trainable, gpu), measured),
        seconds=_seconds(recipe, steps, train_clips, held_clips, samples_per_s, measured),
        adapter_bytes=trainable * _ADAPTER_BYTES,
        visual_tokens=visual_tokens(sight, recipe.data.frames, recipe.data.size) if sight else 0,
        context=int(sight["context"]) if sight else 0,
    )


def _memory(said: Memory, measured: Measured | None) -> int:
    """What was measured, carried over to another shape.

    The estimate's error lies in the activations as far as it may (they grow with the batch), and in what does not grow
    where it is too large to be theirs.
    """
    if measured is None:
        return said.total
    if measured.exact:
        return measured.memory_bytes
    then = measured.memory
    above = measured.memory_bytes - then.fixed
    theirs = min(max(above, then.activations / _STRAYS), then.activations * _STRAYS)
    grown = theirs * said.activations / then.activations if then.activations else 0.0
    return max(round(said.fixed + (above - theirs) + grown), said.process)


def _seconds(
    recipe: Recipe, steps: int, train_clips: int, held_clips: int, samples_per_s: float, measured: Measured | None
) -> float:
    if measured is not None and measured.exact:
        judged = held_clips * (recipe.optim.epochs + 1)
        batches = steps * recipe.optim.gradient_accumulation
        decoded = (train_clips + held_clips) * measured.decode_s
        return measured.load_s + decoded + batches * measured.step_s + judged * measured.eval_s
    clips = steps * recipe.optim.batch_size * recipe.optim.gradient_accumulation * recipe.machine.gpus
    return clips / samples_per_s if samples_per_s > 0 else 0.0
