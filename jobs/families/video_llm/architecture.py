"""What tells one video language model from another: its layout, its names, its sizes."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from jobs.families.video_llm import vision_features

Config = dict[str, Any]
CHATML = "<|im_start|>user\n{clip}{question}<|im_end|>\n<|im_start|>assistant\n"


@dataclass(frozen=True, slots=True)
class Architecture:
    """One architecture."""

    name: str
    """The `model_type` of config.json."""
    layout: Callable[..., Any]
    """A function of `layouts`."""
    sizes: Callable[[Config], dict[str, int]]
    """What the layout needs to know of the config."""
    edge: Callable[[Config], int]
    """The frame edge that the base was made for."""
    step: Callable[[Config], int]
    """An edge must be a multiple of this."""
    prompt: str = CHATML
    """The question where the base brings no chat template of its own."""
    slot: str = "{clip}"
    """What stands for the clip in the base's own chat template."""
    token: str = "video_token_id"
    """Where the config names the mark."""
    end: str = "<|im_end|>"
    fixed: bool = True
    """True where the eye knows one frame size only."""
    eyes: tuple[str, ...] = ("model.visual",)
    """What is never quantized, besides the head."""
    language: str = r"model\.language_model\..*"
    """Where the adapters go, as a regular expression."""
    templated: bool = True
    """False where the base's own chat template is for pictures only."""
    typed: bool = False
    """True where the model wants to be told which tokens are video."""
    masked: bool = False
    """True where every token must be told which frames it sees."""
    sees: Callable[..., Any] = vision_features.sees
    """A function of `seen`: what the eye alone makes of a clip."""


def vision(config: Config) -> dict[str, Any]:
    return dict(config.get("vision_config") or {})


def _first(value: Any) -> int:
    return int(value[0] if isinstance(value, list | tuple) else value)


def qwen_sizes(config: Config, patch: int) -> dict[str, int]:
    v = vision(config)
    return {
        "time": int(v.get("temporal_patch_size", 2)),
        "patch": int(v.get("patch_size") or v.get("spatial_patch_size") or patch),
        "merge": int(v.get("spatial_merge_size", 2)),
    }


def image_edge(config: Config, default: int) -> int:
    return _first(vision(config).get("image_size", default))


def patch_edge(config: Config, default: int) -> int:
    return _first(vision(config).get("patch_size", default))


def qwen_architecture(name: str, layout: Callable[..., Any], patch: int, slot: str, prompt: str) -> Architecture:
    """A Qwen-VL: any frame edge that is a multiple of what its patches and their merging make."""

    def step(config: Config) -> int:
        n = qwen_sizes(config, patch)
        return n["patch"] * n["merge"]

    return Architecture(
        name,
        layout,
        lambda config: qwen_sizes(config, patch),
        lambda config: max(1, 224 // step(config)) * step(config),
        step,
        prompt=prompt,
        slot=slot,
        fixed=False,
        typed=True,
    )
