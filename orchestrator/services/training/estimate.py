"""What a run will cost, worked out from facts of the files before anything is loaded."""

import math
from dataclasses import dataclass
from typing import Any

from orchestrator.domain.models import VideoModel
from orchestrator.domain.recipes import Recipe

_ADAPTER_BYTES = 4
"""Adapters are trained and saved in 32-bit floats."""
_PROCESS_BYTES = 700 * 10**6
"""A trainer with torch, transformers and peft loaded and nothing to do: measured on Linux, CPU build of torch 2.13."""
_ACTIVATION_BYTES = 68
"""Per token, channel and block: 34 bytes in 16-bit floats (Korthikanti et al. 2022, table 2), twice that in 32-bit."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """Sizes in bytes, time in seconds; 0 where nothing is known."""

    steps: int
    trainable_parameters: int
    total_parameters: int
    memory_bytes: int
    seconds: float
    adapter_bytes: int


def count_steps(recipe: Recipe, train_clips: int) -> int:
    """Optimizer steps: an epoch's last, smaller batch counts as one."""
    batches = math.ceil(train_clips / recipe.optim.batch_size) if train_clips else 0
    batches = math.ceil(batches / recipe.machine.gpus)
    steps = math.ceil(batches / recipe.optim.gradient_accumulation) * recipe.optim.epochs
    return min(steps, recipe.optim.max_steps) if recipe.optim.max_steps else steps


def layer_groups(model: VideoModel) -> list[dict[str, Any]]:
    """The linear layers by name ending: suffix, count, parameters, in_features, out_features, default."""
    return list((model.details or {}).get("layers") or [])


def activation_bytes(model: VideoModel, recipe: Recipe) -> int:
    """What one batch keeps for the backward pass, attention maps included; 0 where the config names no sizes."""
    facts = model.details or {}
    hidden, blocks = int(facts.get("hidden_size") or 0), int(facts.get("blocks") or 0)
    frames = int(recipe.data.frames or facts.get("frames") or 0)
    size = int(recipe.data.size or facts.get("image_size") or 0)
    patch, tubelet = int(facts.get("patch_size") or 8), int(facts.get("tubelet_size") or 2)
    tokens = max(1, frames // tubelet) * (size // patch) ** 2
    heads = int(facts.get("heads") or max(1, hidden // 64))
    return recipe.optim.batch_size * blocks * (_ACTIVATION_BYTES * tokens * hidden + 10 * heads * tokens**2)


def estimate(model: VideoModel, recipe: Recipe, train_clips: int, samples_per_s: float = 0.0) -> Estimate:
    """Steps, parameters, memory and time of a run (Hu et al. 2021: rank r adds r * (in + out) parameters a layer).

    Args:
        samples_per_s: speed of an earlier run on the same base; without one no time is given.
    """
    chosen = set(recipe.qlora.target_modules)
    groups = [g for g in layer_groups(model) if (g["suffix"] in chosen if chosen else g.get("default", True))]
    adapters = sum(
        recipe.qlora.r * (int(g.get("in_features", 0)) + int(g.get("out_features", 0))) * int(g.get("count", 1))
        for g in groups
    )
    trainable = adapters if recipe.qlora.enabled else model.parameters
    bits = recipe.qlora.bits if recipe.qlora.enabled else 32
    # Weights, then a gradient and two Adam moments (4 bytes each) for whatever trains.
    memory = _PROCESS_BYTES + model.parameters * bits // 8 + trainable * 16 + activation_bytes(model, recipe)
    steps = count_steps(recipe, train_clips)
    clips = steps * recipe.optim.batch_size * recipe.optim.gradient_accumulation * recipe.machine.gpus
    return Estimate(
        steps=steps,
        trainable_parameters=trainable,
        total_parameters=model.parameters + (adapters if recipe.qlora.enabled else 0),
        memory_bytes=memory,
        seconds=clips / samples_per_s if samples_per_s > 0 else 0.0,
        adapter_bytes=trainable * _ADAPTER_BYTES,
    )
