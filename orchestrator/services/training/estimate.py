"""Estimates a run: steps, parameters, memory and time, from the facts of the model and a rehearsal's measurements."""

import math
from dataclasses import dataclass
from typing import Any, assert_never

from orchestrator.domain.models import VideoModel
from orchestrator.domain.recipes import Recipe, leaves_lone_clip
from orchestrator.domain.tasks import TASK_OF_MODEL, HeadSize
from orchestrator.domain.vision_budget import ClipShape
from orchestrator.services.models.rows import adapter_sides, layer_groups, vision_layout
from orchestrator.services.models.vision_tokens import clip_tokens
from orchestrator.services.training.memory import Memory, memory_of

_MAX_ERROR_FACTOR = 3.0
"""The estimate of activations is trusted to be right within this factor."""
_ADAPTER_BYTES = 4
"""Bytes of an adapter's weight: adapters are trained and saved in 32-bit floats."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """What a rehearsal measured. `memory`: what the estimate was for the rehearsed recipe."""

    memory: Memory
    memory_bytes: int
    load_s: float
    step_s: float
    """One batch, forward and backward."""
    eval_s: float
    """The evaluation of one clip."""
    decode_s: float
    """The first decoding of one clip."""
    result: dict[str, Any]
    """The complete result of the rehearsal."""
    exact: bool
    """Whether it was measured for the same shape of run; False: with another batch, precision or number of frames."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """Sizes in bytes, time in seconds; 0 where it cannot be estimated."""

    steps: int
    trainable_parameters: int
    total_parameters: int
    memory_bytes: int
    seconds: float
    adapter_bytes: int
    visual_tokens: int = 0
    context: int = 0
    counts_head: bool = True
    """`trainable_parameters` has the head that is trained fully; False where its size is not known."""


def count_steps(recipe: Recipe, train_clips: int) -> int:
    """Optimizer steps of the run; the last, smaller batch of an epoch counts as one."""
    batches = math.ceil(train_clips / recipe.optim.batch_size) if train_clips else 0
    batches = math.ceil(batches / recipe.machine.gpus)
    steps = math.ceil(batches / recipe.optim.gradient_accumulation) * recipe.optim.epochs
    return min(steps, recipe.optim.max_steps) if recipe.optim.max_steps else steps


def adapter_parameters(model: VideoModel, recipe: Recipe) -> int:
    """Parameters of the LoRA adapters: rank r adds r * (in + out) for each layer (Hu et al. 2021).

    Ranks of single layers, and which layers a pattern matches, are not counted: only ranks by kind of layer are.
    """
    chosen = set(recipe.qlora.target_modules)
    groups = [g for g in layer_groups(model) if (g["suffix"] in chosen if chosen else g.get("default", True))]
    if recipe.qlora.target_pattern:  # which layers it matches is known once the base is loaded
        groups = [group for group in layer_groups(model) if group.get("default", True)]
    if recipe.qlora.vision:
        groups += (model.details or {}).get("eye_layers") or []
    ranks = recipe.qlora.rank_pattern
    return sum(ranks.get(str(group["suffix"]), recipe.qlora.r) * adapter_sides(group) for group in groups)


def head_parameters(model: VideoModel, classes: int) -> int | None:
    """Parameters of what is trained fully next to the adapters; None where the stored facts do not give its size.

    Args:
        classes: of the dataset, which size a classifier's head.
    """
    if vision_layout(model):
        return 0
    heads = [group for group in layer_groups(model) if not group.get("default", True)]
    match TASK_OF_MODEL[model.model_type].head_size if heads else HeadSize.UNKNOWN:
        case HeadSize.PER_CLASS:
            return sum(int(head.get("in_features", 0)) + 1 for head in heads) * classes if classes else None
        case HeadSize.STORED:
            return sum(int(head.get("parameters", 0)) for head in heads)
        case HeadSize.UNKNOWN:
            return None
        case never:
            assert_never(never)


def estimate(
    model: VideoModel,
    recipe: Recipe,
    train_clips: int,
    samples_per_s: float = 0.0,
    *,
    validation_clips: int = 0,
    gpu: bool = False,
    measured: Measurement | None = None,
    classes: int = 0,
    clip: ClipShape | None = None,
) -> Estimate:
    """Estimates steps, parameters, memory and time of a run.

    Args:
        samples_per_s: clips per second of an earlier run on this base; the time needs this or a measurement.
        gpu: whether it will run on a GPU.
        measured: the newest rehearsal on this base.
        clip: the clip that takes the most tokens, where that depends on the clip.
    """
    adapters = adapter_parameters(model, recipe)
    head = head_parameters(model, classes)
    trainable = adapters + (head or 0) if recipe.qlora.enabled else model.parameters
    contrastive = TASK_OF_MODEL[model.model_type].contrastive and recipe.machine.gpus == 1
    lone = contrastive and leaves_lone_clip(train_clips, recipe.optim.batch_size)  # left out of each epoch
    steps = count_steps(recipe, train_clips - lone)
    vision = vision_layout(model)
    return Estimate(
        steps=steps,
        trainable_parameters=trainable,
        total_parameters=model.parameters + (adapters if recipe.qlora.enabled else 0),
        memory_bytes=_memory(memory_of(model, recipe, trainable, gpu, clip), measured),
        seconds=_seconds(recipe, steps, train_clips, validation_clips, samples_per_s, measured),
        adapter_bytes=trainable * _ADAPTER_BYTES,
        visual_tokens=clip_tokens(model.family, vision, recipe.data, clip) if vision else 0,
        context=int(vision["context"]) if vision else 0,
        counts_head=head is not None or not recipe.qlora.enabled,
    )


def _memory(estimated: Memory, measured: Measurement | None) -> int:
    """The estimate, corrected by a measurement of another shape of run.

    The difference between measurement and estimate is attributed to the activations, which grow with the batch, as far
    as `_MAX_ERROR_FACTOR` allows; the rest to the fixed part.
    """
    if measured is None:
        return estimated.total
    if measured.exact:
        return measured.memory_bytes
    rehearsed = measured.memory
    above_fixed = measured.memory_bytes - rehearsed.fixed
    low, high = rehearsed.activations / _MAX_ERROR_FACTOR, rehearsed.activations * _MAX_ERROR_FACTOR
    activations = min(max(above_fixed, low), high)
    scaled = activations * estimated.activations / rehearsed.activations if rehearsed.activations else 0.0
    return max(round(estimated.fixed + (above_fixed - activations) + scaled), estimated.process)


def _seconds(
    recipe: Recipe,
    steps: int,
    train_clips: int,
    validation_clips: int,
    samples_per_s: float,
    measured: Measurement | None,
) -> float:
    if measured is not None and measured.exact:
        evaluations = validation_clips * (recipe.optim.epochs + 1)
        batches = steps * recipe.optim.gradient_accumulation
        decoding = (train_clips + validation_clips) * measured.decode_s
        return measured.load_s + decoding + batches * measured.step_s + evaluations * measured.eval_s
    clips = steps * recipe.optim.batch_size * recipe.optim.gradient_accumulation * recipe.machine.gpus
    return clips / samples_per_s if samples_per_s > 0 else 0.0
