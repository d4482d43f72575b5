"""Limits of a recipe: the context of its base, the frame size it was made for, the memory of the device."""

from collections.abc import Sequence

from orchestrator.domain import formatting
from orchestrator.domain.experts import expert_problems
from orchestrator.domain.families import FAMILIES, LIGER_FAMILIES, STANDARD_FAMILIES
from orchestrator.domain.frame_settings import ONLY_KEPT, frame_settings_problem
from orchestrator.domain.models import VideoModel
from orchestrator.domain.recipe_augment import flip_warning
from orchestrator.domain.recipe_data import NO_TOKENS, FrameShape
from orchestrator.domain.recipe_methods import option_problems
from orchestrator.domain.recipe_optim import NO_WORDS
from orchestrator.domain.recipes import LIGER_MISSING, Recipe, smaller_batch
from orchestrator.domain.tasks import TASK_OF_MODEL
from orchestrator.domain.vision_budget import FIXED_FRAMES, ClipShape
from orchestrator.services.models.rows import layer_groups, vision_layout
from orchestrator.services.models.vision_tokens import (
    clip_tokens,
    depends_on_clip,
    keeps_shape,
    samples_by_time,
    spreads_frames,
    visual_tokens,
)

Problem = tuple[str, str]
MEMORY_SHARE = 0.95
"""The share of a device's memory that a run may use."""
TEXT_TOKENS = 64
"""Tokens of the context that are reserved for the question and a caption."""
_SMALL_BASE = 100_000_000
"""For bases with fewer parameters 4 bits save too little memory to be worth the computation."""


def vision_problems(model: VideoModel, recipe: Recipe) -> list[Problem]:
    """Numbers of frames and frame sizes that this base does not accept."""
    facts, data = model.details or {}, recipe.data
    vision = vision_layout(model)
    rule = FAMILIES[model.family].vision if model.family in FAMILIES else None
    if rule is not None and (problem := frame_settings_problem(rule, data)):
        return [problem]
    if model.family in STANDARD_FAMILIES and data.frame_shape is not FrameShape.KEPT:
        return [("data.frame_shape", ONLY_KEPT)]
    if samples_by_time(model.family, data) and (data.min_frames or data.frame_tokens):
        return [
            (
                "data.min_frames" if data.min_frames else "data.frame_tokens",
                "This base's processor has no least number of frames, and each frame takes the same number of tokens. "
                "Leave both empty.",
            )
        ]
    if spreads_frames(model.family, data) and data.fps:
        return [("data.fps", FIXED_FRAMES)]
    if (
        not depends_on_clip(model.family, data)
        and not (rule and rule.soft_tokens)
        and (data.min_frames or data.max_frames or data.frame_tokens)
    ):
        return [
            (
                "data.frame_tokens" if data.frame_tokens else "data.max_frames",
                "This base is shown a fixed number of frames of one size. Leave the least and most frames and the "
                "tokens of a frame empty.",
            )
        ]
    own_size = int((vision or {}).get("edge") or facts.get("image_size") or 0)
    any_size = bool(vision and vision["free"])
    if data.size and own_size and not any_size and data.size != own_size:
        return [("data.size", f"This base takes exactly {own_size} x {own_size} pixels. Leave Frame size empty.")]
    if not vision:
        clip_rule = FAMILIES[model.family].clip if model.family in FAMILIES else None
        own, tubelet = int(facts.get("frames") or 0), int(facts.get("tubelet_size") or 0)
        problem = clip_rule.frames_problem(data.frames, own, tubelet) if clip_rule else ""
        return [("data.frames", problem)] if problem else []
    if depends_on_clip(model.family, data):
        return []  # what a clip takes depends on the clip: see `context_problems`
    step = vision["patch"] * vision["merge"]
    if data.size and any_size and data.size % step:
        return [("data.size", f"Frame size must be a multiple of {step} for this base, such as {own_size}.")]
    limit = vision["context"] - TEXT_TOKENS
    tokens = visual_tokens(vision, data.frames, data.size)
    if vision["context"] and tokens > limit:
        per_frame = tokens / (data.frames or vision["frames"])
        most = max(1, int(limit / per_frame))
        return [
            (
                "data.frames",
                f"A clip takes {tokens:,} tokens, and this base reads {vision['context']:,} at once. "
                f"Use {most} frames or fewer.",
            )
        ]
    return []


def context_problems(model: VideoModel, recipe: Recipe, clip: ClipShape | None) -> list[Problem]:
    """Whether the largest clip of the dataset takes more than the context, where that depends on the clip."""
    vision = vision_layout(model)
    if not vision or not vision["context"] or clip is None or not depends_on_clip(model.family, recipe.data):
        return []
    tokens, limit = clip_tokens(model.family, vision, recipe.data, clip), vision["context"] - TEXT_TOKENS
    if tokens <= limit:
        return []
    fewer = "fewer frames or fewer tokens of a frame" if keeps_shape(model.family, recipe.data) else "fewer frames"
    return [
        (
            "data.frame_tokens" if keeps_shape(model.family, recipe.data) else "data.max_frames",
            f"The largest clip ({clip.width} x {clip.height}, {clip.duration_s:.0f} s) takes {tokens:,} tokens, and "
            f"this base reads {vision['context']:,} at once. Choose {fewer}.",
        )
    ]


def method_problems(model: VideoModel, recipe: Recipe) -> list[Problem]:
    """Options of the training that this base, or its quantized weights, cannot have."""
    problems = option_problems(recipe, model.family, TASK_OF_MODEL[model.model_type].key)
    if recipe.optim.neftune_alpha is not None and not vision_layout(model):
        problems.append(("optim.neftune_alpha", NO_WORDS))
    if recipe.data.group_by_length and not vision_layout(model):
        problems.append(("data.group_by_length", NO_TOKENS))
    if text := recipe.qlora.initial_weights_problem:
        problems.append(("qlora.init_lora_weights", text))
    if (vision_layout(model) or {}).get("experts"):
        problems += expert_problems(recipe.qlora)
    return problems + _unknown_layers(model, recipe)


def _unknown_layers(model: VideoModel, recipe: Recipe) -> list[Problem]:
    """Names of layers that end in none of the endings that this base has."""
    known = [str(group["suffix"]) for group in layer_groups(model)]
    if not known or not recipe.qlora.enabled:
        return []
    asked = {"qlora.rank_pattern": recipe.qlora.rank_pattern, "qlora.alpha_pattern": recipe.qlora.alpha_pattern}
    return [
        (field, f"{model.name} has no layer {', '.join(unknown)}. It has: {', '.join(known)}.")
        for field, pattern in asked.items()
        if (unknown := [name for name in pattern if not _ends_in_one_of(name, known)])
    ]


def _ends_in_one_of(name: str, endings: list[str]) -> bool:
    return any(f".{name}".endswith(f".{ending}") for ending in endings)


def kernel_problems(model: VideoModel, recipe: Recipe, gpu: bool) -> list[Problem]:
    """Why Liger's kernels cannot be used for this run."""
    if not recipe.optim.liger:
        return []
    if model.family not in LIGER_FAMILIES:
        return [("optim.liger", LIGER_MISSING["family"])]
    return [] if gpu else [("optim.liger", LIGER_MISSING["gpu"])]


def fit_problems(
    recipe: Recipe, memory_bytes: int, device_memory: int, quantizes: bool = True, contrastive: bool = False
) -> list[Problem]:
    """Why a run is estimated not to fit, with what to change.

    Args:
        memory_bytes: the estimate.
        device_memory: bytes of the device; 0 where it is not known, which fits.
        quantizes: whether 4 bits make the base smaller.
        contrastive: the loss compares the clips of a batch, which is encoded in parts instead of being made smaller.
    """
    if not device_memory or memory_bytes <= MEMORY_SHARE * device_memory:
        return []
    needs = f"This needs about {formatting.size(memory_bytes)}, and the device has {formatting.size(device_memory)}."
    at_once = recipe.optim.chunk_size or recipe.optim.batch_size
    if contrastive and at_once > 1:
        return [("optim.chunk_size", f"{needs} Try {at_once // 2} clips encoded at once: the step stays the same.")]
    if smaller := smaller_batch(recipe.optim.batch_size, recipe.optim.gradient_accumulation):
        advice = f"Try a batch of {smaller[0]} with {smaller[1]} times accumulation"
        return [("optim.batch_size", f"{needs} {advice}, or rehearse it: two real steps measure it.")]
    if recipe.qlora.enabled and recipe.qlora.bits != 4 and quantizes:
        return [("qlora.bits", f"{needs} Choose 4-bit.")]
    return [("data.frames", f"{needs} Use fewer frames, or a smaller base.")]


def advice(model: VideoModel, recipe: Recipe, gpu: bool) -> list[str]:
    """Suggestions for a recipe that has no problems."""
    if not recipe.qlora.enabled or (vision_layout(model) or {}).get("experts"):
        return []
    saved = model.parameters * (2 if gpu else 4) - int((model.details or {}).get("nf4_bytes") or model.parameters // 2)
    small = 0 < model.parameters < _SMALL_BASE
    if recipe.qlora.bits == 4 and small:
        amount = formatting.size(saved) if saved >= 1e6 else "next to nothing"
        return [f"4-bit saves {amount} on a base this small. 16-bit LoRA reaches the same quality, faster."]
    if recipe.qlora.bits == 16 and not small and model.parameters:
        return [f"4-bit would save {formatting.size(max(0, saved))} of memory here."]
    return []


def flip_advice(model: VideoModel, recipe: Recipe, class_names: Sequence[str]) -> list[str]:
    """A warning where mirrored clips may no longer be what their class or text says."""
    if not recipe.augment.flip:
        return []
    if TASK_OF_MODEL[model.model_type].has_classes:
        return [warning] if (warning := flip_warning(class_names)) else []
    return ["A mirrored clip is no longer what its text says where that names a side, such as left or right."]


def cache_advice(
    model: VideoModel, recipe: Recipe, clips: int, gpu: bool, limit: int, clip: ClipShape | None = None
) -> list[str]:
    """A sentence where the vision features of a dataset are larger than the cache.

    Args:
        clips: of both splits.
        limit: bytes of the cache; 0 for no limit.
        clip: the largest one, where what a clip takes depends on the clip.
    """
    vision = vision_layout(model)
    if not vision or not limit or not recipe.qlora.enabled or recipe.qlora.vision:
        return []
    tokens = clip_tokens(model.family, vision, recipe.data, clip)
    a_clip = tokens * vision["hidden"] * (2 if gpu else 4)
    if not a_clip or clips * a_clip <= limit:
        return []
    return [
        f"The vision features of {clips:,} clips take about {formatting.size(clips * a_clip)} "
        f"({formatting.size(a_clip)} a clip), and the cache holds {formatting.size(limit)}: what does not fit is "
        "encoded in each epoch. A larger LOREEL_CACHE_BYTES, fewer frames or smaller ones make a run quicker."
    ]
