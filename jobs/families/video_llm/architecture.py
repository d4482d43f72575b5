"""What distinguishes one video language model from another: its layout, its module names, its sizes."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from jobs.families.video_llm import vision_features
from orchestrator.domain.errors import Invalid
from orchestrator.domain.frame_settings import ONLY_KEPT

Config = dict[str, Any]
CHATML = "<|im_start|>user\n{clip}{question}<|im_end|>\n<|im_start|>assistant\n"
NEXT_CHATML = "\n<|im_start|>user\n{question}<|im_end|>\n<|im_start|>assistant\n"


def _no_sizes(config: Config) -> dict[str, int]:
    return {}


def _no_edge(config: Config) -> int:
    return 0


@dataclass(frozen=True, slots=True)
class Architecture:
    """One `model_type` of transformers' image-text-to-text models."""

    name: str
    """The `model_type` of config.json."""
    layout: Callable[..., Any] | None = None
    """The function of `layouts` that makes a clip's tensors and its part of the prompt; None where only the base's own
    processor can, as in every standard family."""
    layout_sizes: Callable[[Config], dict[str, int]] = _no_sizes
    """The sizes that the layout takes from the config."""
    frame_edge: Callable[[Config], int] = _no_edge
    """Pixels: the width and height of a frame that the base was trained with."""
    edge_multiple: Callable[[Config], int] = _no_edge
    """Pixels: the width of a frame must be a multiple of this."""
    prompt: str = CHATML
    """The prompt where the base brings no chat template of its own; `{clip}` and `{question}` are replaced."""
    next_turn: str = NEXT_CHATML
    """The text of a later question in that form, between the answer before it and its own."""
    chat_template: str = ""
    """The template that its processor uses for clips whatever the base brings; "" for the base's own."""
    video_placeholder: str = "{clip}"
    """What stands for the clip in the base's own chat template."""
    token_key: str = "video_token_id"
    """The key of the config with the id of the token that stands for a part of the clip."""
    clip_token: str = ""
    """That token itself, where published configs do not name its id."""
    end_token: str = "<|im_end|>"
    """The token that ends an answer where the chat template writes none behind it."""
    fixed_size: bool = True
    """True where the vision tower takes one frame size only."""
    vision_modules: tuple[str, ...] = ("model.visual",)
    """Names of the vision tower and its projector, which are never quantized."""
    target_pattern: str = r"model\.language_model\..*"
    """A regular expression for the names of the layers that may get an adapter."""
    needs_token_types: bool = False
    """True where `forward` takes `mm_token_type_ids`: which tokens are video."""
    needs_image_mask: bool = False
    """True where `forward` takes `image_attention_mask`: which frames each token attends to."""
    packages: tuple[str, ...] = ()
    """What its processor needs beyond what every adapter needs."""
    encode_vision: Callable[..., Any] = vision_features.encode
    """The function of `vision_features` that runs the vision tower alone."""

    @property
    def is_standard(self) -> bool:
        """Whether its processor says all that a layout would."""
        return self.layout is None

    @property
    def square_layout(self) -> Callable[..., Any]:
        """The layout of square frames.

        Raises:
            Invalid: there is none.
        """
        if self.layout is None:
            raise Invalid(ONLY_KEPT, "data.frame_shape")
        return self.layout


def vision_config(config: Config) -> dict[str, Any]:
    return dict(config.get("vision_config") or {})


def _first(value: Any) -> int:
    return int(value[0] if isinstance(value, list | tuple) else value)


def qwen_sizes(config: Config, patch: int) -> dict[str, int]:
    """Frames in a temporal patch, pixels of a patch's edge (`patch` by default), patches merged along an edge."""
    vision = vision_config(config)
    return {
        "time": int(vision.get("temporal_patch_size", 2)),
        "patch": int(vision.get("patch_size") or vision.get("spatial_patch_size") or patch),
        "merge": int(vision.get("spatial_merge_size", 2)),
    }


def image_edge(config: Config, default: int) -> int:
    return _first(vision_config(config).get("image_size", default))


def patch_edge(config: Config, default: int) -> int:
    return _first(vision_config(config).get("patch_size", default))


def qwen_architecture(
    name: str,
    layout: Callable[..., Any],
    patch: int,
    video_placeholder: str,
    prompt: str,
) -> Architecture:
    """A Qwen-VL model: it takes any frame edge that is a multiple of its merged patches' edge."""

    def edge_multiple(config: Config) -> int:
        sizes = qwen_sizes(config, patch)
        return sizes["patch"] * sizes["merge"]

    return Architecture(
        name,
        layout,
        lambda config: qwen_sizes(config, patch),
        lambda config: max(1, 224 // edge_multiple(config)) * edge_multiple(config),
        edge_multiple,
        prompt=prompt,
        video_placeholder=video_placeholder,
        fixed_size=False,
        needs_token_types=True,
    )
