"""What a run will cost, worked out from facts of the files before anything is loaded."""

import math
from dataclasses import dataclass
from typing import Any

from orchestrator.domain.models import VideoModel
from orchestrator.domain.recipes import Recipe

_ADAPTER_BYTES = 4
"""Adapters are trained and saved in 32-bit floats."""


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
    steps = math.ceil(batches / recipe.optim.gradient_accumulation) * recipe.optim.epochs
    return min(steps, recipe.optim.max_steps) if recipe.optim.max_steps else steps


def layer_groups(model: VideoModel) -> list[dict[str, Any]]:
    """The linear layers by name ending: suffix, count, parameters, in_features, out_features, default."""
    return list((model.details or {}).get("layers") or [])


def estimate(model: VideoModel, recipe: Recipe, train_clips: int) -> Estimate:
    """Steps, parameters and memory of a run (Hu et al. 2021: an adapter of rank r adds r * (in + out) a layer)."""
    chosen = set(recipe.qlora.target_modules)
    groups = [g for g in layer_groups(model) if (g["suffix"] in chosen if chosen else g.get("default", True))]
    adapters = sum(
        recipe.qlora.r * (int(g.get("in_features", 0)) + int(g.get("out_features", 0))) * int(g.get("count", 1))
        for g in groups
    )
    trainable = adapters if recipe.qlora.enabled else model.parameters
    bits = recipe.qlora.bits if recipe.qlora.enabled else 32
    # Weights, then a gradient and two Adam moments (4 bytes each) for whatever trains.
    memory = model.parameters * bits // 8 + trainable * 16
    return Estimate(
        steps=count_steps(recipe, train_clips),
        trainable_parameters=trainable,
        total_parameters=model.parameters + (adapters if recipe.qlora.enabled else 0),
        memory_bytes=memory,
        seconds=0.0,
        adapter_bytes=trainable * _ADAPTER_BYTES,
    )
