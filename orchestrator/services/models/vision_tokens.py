"""Counts the prompt tokens that a clip becomes in a video language model, from the sizes in its config.json."""

import math
from typing import Any

from orchestrator.domain.experts import count_experts
from orchestrator.domain.families import FAMILIES, VisionRule
from orchestrator.domain.recipe_data import Data, FrameShape
from orchestrator.domain.vision_budget import FRAMES, ClipShape, paced_frames, timed_frames, vision_budget

USUAL_CLIP = ClipShape(frames=250, duration_s=10.0, width=1280, height=720)
"""What a clip is taken to be where none is known."""


def read_vision_layout(family: str, config: dict[str, Any]) -> dict[str, int] | None:
    """The sizes of a config that `visual_tokens` and the memory estimate need.

    Returns:
        None for a family without a language model.

    Raises:
        ArithmeticError, AttributeError, LookupError, TypeError, ValueError: the config has impossible values.
    """
    rule = FAMILIES[family].vision if family in FAMILIES else None
    if rule is None:
        return None
    vision, text = config.get("vision_config") or config.get("vit_config") or {}, config.get("text_config") or config
    patch = _first(_any_of(vision, "patch_size", "spatial_patch_size", "image_patch_size") or rule.patch)
    merge = _merge(config, vision, rule)
    if min(patch, merge) < 1:
        raise ValueError("patches must have a size")
    size = config.get("image_size") or _any_of(vision, "image_size", "image_default_input_size")
    edge = rule.edge if rule.free else _first(size or rule.edge)
    if rule.free:
        edge = max(1, edge // (patch * merge)) * patch * merge
    return {
        "frames": rule.frames or FRAMES,
        "edge": edge,
        "patch": patch,
        "merge": merge,
        "time": max(1, int(vision.get("temporal_patch_size") or rule.time)) if rule.time > 1 else 1,
        "free": int(rule.free),
        "up": int(rule.up),
        "end": rule.end,
        "marks": int(rule.marks),
        "extra": rule.frame_extra,
        "experts": count_experts(config),
        "context": int(text.get("max_position_embeddings") or 0),
        "hidden": int(text.get("hidden_size") or 0),
        "inner": int(text.get("intermediate_size") or 4 * int(text.get("hidden_size") or 0)),
        "blocks": int(text.get("num_hidden_layers") or 0),
        "words": int(text.get("vocab_size") or config.get("vocab_size") or 0),
        "eye_hidden": int(vision.get("embed_dim") or _first(vision.get("hidden_size") or 0)),
        "eye_blocks": int(vision.get("depth") or vision.get("num_hidden_layers") or 0),
    }


def visual_tokens(layout: dict[str, int], frames: int | None = None, size: int | None = None) -> int:
    """Tokens of the context that one clip takes.

    Args:
        layout: as `read_vision_layout` returns it.
        frames, size: the recipe's number of frames and frame size in pixels; None for those of the base.
    """
    count = frames or layout["frames"]
    if layout["marks"]:
        return count
    side = (size or layout["edge"]) // layout["patch"]
    merged = -(-side // layout["merge"]) if layout["up"] else side // layout["merge"]
    return math.ceil(count / layout["time"]) * (merged * merged + layout.get("extra", 0)) + layout["end"]


def keeps_shape(family: str, data: Data) -> bool:
    """Whether clips of a run keep their shape, so that their tokens depend on each clip."""
    rule = FAMILIES[family].vision if family in FAMILIES else None
    return rule is not None and rule.keeps_shape and data.frame_shape is FrameShape.KEPT


def samples_by_time(family: str, data: Data) -> bool:
    """Whether the number of frames of a run follows each clip's length, and each is a square of one size."""
    rule = FAMILIES[family].vision if family in FAMILIES else None
    return rule is not None and rule.fps > 0 and data.frame_shape is FrameShape.KEPT


def spreads_frames(family: str, data: Data) -> bool:
    """Whether a run's own processor spreads a fixed number of frames over each clip, so that no rate is chosen."""
    rule = FAMILIES[family].vision if family in FAMILIES else None
    return rule is not None and rule.spreads and data.frame_shape is FrameShape.KEPT


def depends_on_clip(family: str, data: Data) -> bool:
    """Whether the tokens of a run's clips depend on the clip."""
    return keeps_shape(family, data) or samples_by_time(family, data)


def least_frames(family: str, layout: dict[str, int], data: Data) -> int:
    """The fewest frames that a clip of a run must have; a base that is shown squares of ours takes some twice."""
    if spreads_frames(family, data):
        return data.frames or layout["frames"]
    return layout["time"] if keeps_shape(family, data) and not _rule(family).completes_alone else 1


def clip_tokens(family: str, layout: dict[str, int], data: Data, clip: ClipShape | None = None) -> int:
    """Tokens of the context that a clip takes with these settings, at most: VideoLLaMA 3 drops some of them.

    Args:
        layout: as `read_vision_layout` returns it.
        clip: the clip where its tokens depend on it; None for a usual one.
    """
    if samples_by_time(family, data):
        return visual_tokens(layout, _frames(family, data, clip))
    if most := _soft_tokens(family, data):
        return (data.frames or layout["frames"]) * (data.frame_tokens or most)
    if not keeps_shape(family, data):
        return visual_tokens(layout, data.frames, data.size)
    rule = _rule(family)
    edge, shape = layout["patch"] * layout["merge"], clip or USUAL_CLIP
    budget = vision_budget(data, edge, layout["time"], rule.own)
    if rule.paced:
        steps = math.ceil(paced_frames(shape, layout["time"]) / layout["time"])
        return budget.tokens_of(shape, edge, steps, layout["time"])
    return budget.tokens(shape, edge, layout["time"], rule.completes)


def clip_patches(family: str, layout: dict[str, int], data: Data, clip: ClipShape | None = None) -> int:
    """Patches of the clip in the vision tower, before they are merged into tokens."""
    if samples_by_time(family, data):
        return patch_tokens(layout, _frames(family, data, clip))
    if not keeps_shape(family, data) and not _soft_tokens(family, data):
        return patch_tokens(layout, data.frames, data.size)
    return clip_tokens(family, layout, data, clip) * layout["merge"] ** 2


def clip_frames(family: str, layout: dict[str, int], data: Data, clip: ClipShape) -> int:
    """Frames of a clip that are sampled with these settings."""
    if samples_by_time(family, data):
        return _frames(family, data, clip)
    if not keeps_shape(family, data):
        return data.frames or layout["frames"]
    rule = _rule(family)
    if rule.paced:
        return paced_frames(clip, layout["time"])
    budget = vision_budget(data, layout["patch"] * layout["merge"], layout["time"], rule.own)
    return budget.frames(clip, layout["time"], rule.completes)


def frame_size(family: str, layout: dict[str, int], data: Data, clip: ClipShape) -> tuple[int, int]:
    """(width, height) of a frame as the base sees it."""
    edge = layout["patch"] * layout["merge"]
    if most := _soft_tokens(family, data):
        scale = math.sqrt((data.frame_tokens or most) * edge * edge / (max(1, clip.width) * max(1, clip.height)))
        width, height = (max(1, math.floor(side * scale / edge)) * edge for side in (clip.width, clip.height))
        return width, height
    if not keeps_shape(family, data):
        square = data.size or layout["edge"]
        return square, square
    rule = _rule(family)
    budget = vision_budget(data, edge, layout["time"], rule.own)
    if rule.paced:
        frames = paced_frames(clip, layout["time"])
    else:
        frames = budget.steps(clip, layout["time"], rule.completes) * layout["time"]
    height, width = budget.resized(clip, edge, frames)
    return width, height


def _frames(family: str, data: Data, clip: ClipShape | None) -> int:
    """Frames of a clip that are sampled by time."""
    rule = _rule(family)
    return timed_frames(data, rule.fps, rule.max_frames, clip or USUAL_CLIP)


def _soft_tokens(family: str, data: Data) -> int:
    """Tokens of a frame at most, where the processor keeps its shape within a number that a recipe may choose."""
    return _rule(family).soft_tokens if spreads_frames(family, data) else 0


def _rule(family: str) -> VisionRule:
    """The rule of a family with a language model."""
    rule = FAMILIES[family].vision
    assert rule is not None
    return rule


def patch_tokens(layout: dict[str, int], frames: int | None = None, size: int | None = None) -> int:
    """Patches of one clip in the vision tower, before they are merged into tokens."""
    side = (size or layout["edge"]) // layout["patch"]
    return math.ceil((frames or layout["frames"]) / layout["time"]) * side * side


def _merge(config: dict[str, Any], vision: dict[str, Any], rule: VisionRule) -> int:
    if rule.marks:
        return 1
    if "downsample_ratio" in config:
        return max(1, round(1 / float(config["downsample_ratio"])))
    merge = vision.get("spatial_merge_size") or config.get("scale_factor") or config.get("spatial_pool_stride")
    return int(merge or rule.merge)


def _any_of(part: dict[str, Any], *names: str) -> Any:
    """The value under the first of these names that has one."""
    return next((part[name] for name in names if part.get(name)), None)


def _first(value: Any) -> int:
    return int(value[0] if isinstance(value, list) else value)
