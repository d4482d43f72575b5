"""The model families that can be trained, one row each: what the web knows of them without loading a model.

A new family is a row here, and a module named in jobs/families/registry.py unless it is `standard`; a test holds both
equal.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from orchestrator.domain.tasks import ModelType
from orchestrator.domain.vision_budget import ProcessorLimits


@dataclass(frozen=True, slots=True)
class VisionRule:
    """How a video language model lays out a frame: `edge // patch` patches a side, joined `merge` by `merge`.

    A config.json that says otherwise is believed; these are the sizes where it says nothing.
    """

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
    completes: bool = False
    """True where a last frame that is joined with no other is joined with itself, instead of being left out."""
    keeps_shape: bool = False
    """True where the base's own processor prepares the clips, so that their tokens depend on length and shape."""
    own: ProcessorLimits | None = None
    """What its published processor says, where that differs from Qwen2.5-VL's."""
    spreads: bool = False
    """True where the base's own processor spreads a fixed number of frames over the clip, and makes each a square."""
    fps: float = 0.0
    """Frames a second of its published processor, where that prepares the clips and makes each frame a square."""
    max_frames: int = 0
    """The most frames of a clip that this processor samples."""
    frames: int = 0
    """Frames that its published processor spreads over a clip, where it names a number."""
    soft_tokens: int = 0
    """Tokens of a frame at most, where the published processor keeps each frame's shape within this number."""
    frame_extra: int = 0
    """Tokens of each frame beside those of its patches."""
    completes_alone: bool = False
    """True where a clip of one frame is read: the frame is joined with itself."""
    fixed_rate: bool = False
    """True where its processor takes `fps` frames of each second whatever a recipe says."""
    paced: bool = False
    """True where its processor chooses the frames by the clip's length alone (`paced_frames`)."""


@dataclass(frozen=True, slots=True)
class ClipRule:
    """The clips that an encoder takes. A config.json that says otherwise is believed; these are the usual sizes."""

    frames: int
    edge: int = 224
    """Width and height of a frame in pixels."""
    multiple: int = 0
    """0: exactly as many frames as the config says; else any multiple of its tubelet size, which usually is this."""

    def frames_problem(self, asked: int | None, own: int, tubelet: int) -> str:
        """Why a recipe's number of frames is refused; "" where it is not.

        Args:
            own, tubelet: the frame count and tubelet size of the config; 0 where it says nothing.
        """
        if not asked:
            return ""
        if not self.multiple:
            exact = own or self.frames
            return "" if asked == exact else f"This base sees exactly {exact} frames. Leave Frames empty."
        step = tubelet or self.multiple
        return f"This base takes frames by {step}. Enter a multiple of {step}, such as 16." if asked % step else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FamilySpec:
    """One family."""

    key: str
    """`model_type` of config.json."""
    title: str
    """The name people know; a base model is stored with it."""
    model_type: ModelType
    vision: VisionRule | None = None
    """Set for a video language model."""
    clip: ClipRule | None = None
    """Set where the checkpoint decides the number of frames."""
    liger: bool = False
    """Liger has fused kernels for it. Each run checks first that its base answers the same with them."""
    standard: bool = False
    """True where its processor and its class of transformers say all that the trainer must know of it."""
    has_experts: bool = False
    """True where the blocks of every model of it choose among experts; of other families, some models have them."""
    takes_question: bool = False
    """True where the model answers questions about a clip; others describe or classify it without being asked."""
    sentence_name: str = ""
    """What sentences call it, where the title does not read well in one."""
    former_titles: tuple[str, ...] = ()
    """Titles that earlier versions stored."""

    @property
    def name_in_sentences(self) -> str:
        """As in "A LoRA adapter for VideoMAE"."""
        return self.sentence_name or self.title


def _classifier(key: str, title: str, clip: ClipRule) -> FamilySpec:
    return FamilySpec(key=key, title=title, model_type=ModelType.CLASSIFICATION, clip=clip)


def _retriever(key: str, title: str, clip: ClipRule | None = None) -> FamilySpec:
    return FamilySpec(key=key, title=title, model_type=ModelType.RETRIEVAL, clip=clip)


def _video_llm(
    key: str,
    title: str,
    vision: VisionRule,
    *,
    liger: bool = False,
    standard: bool = False,
    has_experts: bool = False,
    former: tuple[str, ...] = (),
) -> FamilySpec:
    return FamilySpec(
        key=key,
        title=title,
        model_type=ModelType.CAPTIONING,
        vision=vision,
        liger=liger,
        standard=standard,
        has_experts=has_experts,
        takes_question=True,
        former_titles=former,
    )


_QWEN3 = VisionRule(16, 224, merge=2, time=2, free=True, keeps_shape=True, completes=True)
_GLM = VisionRule(
    14,
    224,
    merge=2,
    time=2,
    free=True,
    keeps_shape=True,
    completes=True,
    completes_alone=True,
    own=ProcessorLimits(2.0, 1, 600, 12_544, 47_040_000, shares=True),
)
_ROWS = (
    _classifier("videomae", "VideoMAE", ClipRule(16)),
    _classifier("timesformer", "TimeSformer", ClipRule(8)),
    _classifier("vivit", "ViViT", ClipRule(32)),
    _classifier("vjepa2", "V-JEPA 2", ClipRule(64, edge=256, multiple=2)),
    _retriever("xclip", "X-CLIP", ClipRule(8)),
    _retriever("clip", "CLIP"),
    _retriever("siglip", "SigLIP"),
    _retriever("vision-text-dual-encoder", "Dual encoder"),
    FamilySpec(
        key="vision-encoder-decoder",
        title="Encoder-decoder",
        model_type=ModelType.CAPTIONING,
        sentence_name="a video encoder with a text decoder",
    ),
    _video_llm("qwen2_vl", "Qwen2-VL", VisionRule(14, 224, merge=2, time=2, free=True, keeps_shape=True), liger=True),
    _video_llm(
        "qwen2_5_vl", "Qwen2.5-VL", VisionRule(14, 224, merge=2, time=2, free=True, keeps_shape=True), liger=True
    ),
    _video_llm("qwen3_vl", "Qwen3-VL", _QWEN3, liger=True),
    _video_llm("smolvlm", "SmolVLM2", VisionRule(14, 364, merge=2, fps=1.0, max_frames=64), liger=True),
    _video_llm("llava_onevision", "LLaVA-OneVision", VisionRule(14, 384, merge=2, up=True, end=1, spreads=True)),
    _video_llm("llava_next_video", "LLaVA-NeXT-Video", VisionRule(14, 336, merge=2, spreads=True)),
    _video_llm("internvl", "InternVL", VisionRule(14, 448, merge=2, spreads=True), liger=True),
    _video_llm(
        "video_llama_3",
        "VideoLLaMA 3",
        VisionRule(
            14, 224, merge=2, free=True, keeps_shape=True, own=ProcessorLimits(1.0, 4, 180, 12_544, shares=True)
        ),
        former=("Video-LLaMA",),
    ),
    _video_llm("idefics", "Flamingo", VisionRule(14, 224, marks=True, spreads=True)),
    _video_llm("qwen3_5", "Qwen3.5", _QWEN3, standard=True),
    _video_llm("qwen3_5_moe", "Qwen3.5 MoE", _QWEN3, standard=True, has_experts=True),
    _video_llm("qwen3_vl_moe", "Qwen3-VL MoE", _QWEN3, standard=True, has_experts=True),
    _video_llm("glm4v", "GLM-4.1V", _GLM, standard=True),
    _video_llm("glm4v_moe", "GLM-4.5V", _GLM, standard=True, has_experts=True),
    _video_llm("glm46v", "GLM-4.6V", replace(_GLM, paced=True), standard=True),
    _video_llm(
        "gemma4", "Gemma 4", VisionRule(16, 224, merge=3, spreads=True, frames=32, soft_tokens=70), standard=True
    ),
    _video_llm("video_llava", "Video-LLaVA", VisionRule(14, 224, spreads=True, frame_extra=1), standard=True),
    _video_llm(
        "minicpmv4_6",
        "MiniCPM-V 4.6",
        VisionRule(14, 448, merge=4, fps=1.0, max_frames=128, fixed_rate=True),
        standard=True,
    ),
    _video_llm("molmo2", "Molmo2", VisionRule(14, 378, merge=3, fps=2.0, max_frames=64), standard=True),
)

FAMILIES: Mapping[str, FamilySpec] = {row.key: row for row in _ROWS}
"""Every family by its model_type, in the order in which they are listed."""
STANDARD_FAMILIES = frozenset(row.key for row in _ROWS if row.standard)
LIGER_FAMILIES = frozenset(row.key for row in _ROWS if row.liger)
_TITLE_OF: Mapping[str, str] = {former: row.title for row in _ROWS for former in row.former_titles}


def takes_question(model_type: str) -> bool:
    """Whether models with this `model_type` in their config.json are asked questions."""
    return model_type in FAMILIES and FAMILIES[model_type].takes_question


def current_title(title: str) -> str:
    """The title of today for one that may have been stored by an earlier version."""
    return _TITLE_OF.get(title, title)


def titles_of(model_type: str) -> list[str]:
    """The titles of the families that do this."""
    return [row.title for row in FAMILIES.values() if row.model_type == model_type]
