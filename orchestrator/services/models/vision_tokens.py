"""Counts the prompt tokens a clip becomes in a video language model: frames, patches, context, from config.json."""

import math
from dataclasses import dataclass
from typing import Any

FRAMES = 8
"""What these families sample where the recipe names no number."""


@dataclass(frozen=True, slots=True)
class _Rule:
    """How one architecture lays out a frame: an edge of `edge // patch` patches, joined `merge` by `merge`."""

    patch: int
    edge: int
    merge: int = 1
    time: int = 1
    """Frames that become one."""
    free: bool = False
    """True where any edge will do; `edge` is then brought to a multiple of patch and merge."""
    up: bool = False
    """True where half a group counts as one."""
    end: int = 0
    """Tokens behind the last frame."""
    marks: bool = False
    """True where a frame takes one token, and what it shows comes in through cross-attention."""


_RULES = {
    "qwen2_vl": _Rule(14, 224, merge=2, time=2, free=True),
    "qwen2_5_vl": _Rule(14, 224, merge=2, time=2, free=True),
    "qwen3_vl": _Rule(16, 224, merge=2, time=2, free=True),
    "video_llama_3": _Rule(14, 224, merge=2, free=True),
    "smolvlm": _Rule(14, 364, merge=2),
    "llava_onevision": _Rule(14, 384, merge=2, up=True, end=1),
    "llava_next_video": _Rule(14, 336, merge=2),
    "internvl": _Rule(14, 448, merge=2),
    "idefics": _Rule(14, 224, marks=True),
}
"""The layouts of jobs/families/video_llm; a test holds the two equal, token by token."""


def read_sight(family: str, config: dict[str, Any]) -> dict[str, int] | None:
    """What `visual_tokens` and the memory estimate need of a config; None for a family without a language model.

    A config that lies raises what Python raises.
    """
    rule = _RULES.get(family)
    if rule is None:
        return None
    vision, text = config.get("vision_config") or {}, config.get("text_config") or config
    patch = _first(vision.get("patch_size") or vision.get("spatial_patch_size") or rule.patch)
    merge = _merge(config, vision, rule)
    if min(patch, merge) < 1:
        raise ValueError("patches without a size")
    edge = rule.edge if rule.free else _first(vision.get("image_size") or rule.edge)
    if rule.free:
        edge = max(1, edge // (patch * merge)) * patch * merge
    return {
        "frames": FRAMES,
        "edge": edge,
        "patch": patch,
        "merge": merge,
        "time": max(1, int(vision.get("temporal_patch_size") or rule.time)) if rule.time > 1 else 1,
        "free": int(rule.free),
        "up": int(rule.up),
        "end": rule.end,
        "marks": int(rule.marks),
        "context": int(text.get("max_position_embeddings") or 0),
        "hidden": int(text.get("hidden_size") or 0),
        "inner": int(text.get("intermediate_size") or 4 * int(text.get("hidden_size") or 0)),
        "blocks": int(text.get("num_hidden_layers") or 0),
        "words": int(text.get("vocab_size") or config.get("vocab_size") or 0),
        "eye_hidden": int(vision.get("embed_dim") or _first(vision.get("hidden_size") or 0)),
        "eye_blocks": int(vision.get("depth") or vision.get("num_hidden_layers") or 0),
    }


def visual_tokens(sight: dict[str, int], frames: int | None = None, size: int | None = None) -> int:
    """Tokens that one clip takes of the context."""
    count = frames or sight["frames"]
    if sight["marks"]:
        return count
    side = (size or sight["edge"]) // sight["patch"]
    merged = -(-side // sight["merge"]) if sight["up"] else side // sight["merge"]
    return math.ceil(count / sight["time"]) * merged * merged + sight["end"]


def eye_tokens(sight: dict[str, int], frames: int | None = None, size: int | None = None) -> int:
    """Patches of one clip in the eye, before they are joined."""
    side = (size or sight["edge"]) // sight["patch"]
    return math.ceil((frames or sight["frames"]) / sight["time"]) * side * side


def _merge(config: dict[str, Any], vision: dict[str, Any], rule: _Rule) -> int:
    if rule.marks:
        return 1
    if "downsample_ratio" in config:
        return max(1, round(1 / float(config["downsample_ratio"])))
    found = vision.get("spatial_merge_size") or config.get("scale_factor") or config.get("spatial_pool_stride")
    return int(found or rule.merge)


def _first(value: Any) -> int:
    return int(value[0] if isinstance(value, list) else value)
