"""The base's own processor with the settings of a run: it prepares clips in training exactly as it will afterwards.

The processor decides which frames are sampled, how large they become, their tensors, and the text that stands for the
clip in the prompt. What is ours is to decode the frames, to cache them after the resize, and to batch.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import AutoImageProcessor, AutoProcessor
from transformers.models.idefics.processing_idefics import IdeficsProcessor
from transformers.models.llava_next_video.processing_llava_next_video import LlavaNextVideoProcessor
from transformers.models.llava_next_video.video_processing_llava_next_video import LlavaNextVideoVideoProcessor
from transformers.video_utils import VideoMetadata

from jobs.families.protocol import Base
from jobs.families.tokenization import read_tokenizer
from jobs.families.video_llm.chat_templates import TEMPLATES, without_thoughts
from jobs.families.video_llm.processor_rules import video_settings
from jobs.families.video_llm.rules_by_class import rules_of
from jobs.video.cache import ClipFile, TimedFrames
from jobs.video.decode import decode_timed
from jobs.video.orientation import Frames
from jobs.video.source import BadClip
from jobs.video.timing import FrameTiming
from orchestrator.domain.errors import Invalid
from orchestrator.domain.recipe_data import Data

_UNTIMED_FPS = 2.0
"""Frames a second of frames without a timing."""
Prepared = tuple[dict[str, torch.Tensor], str]
"""The arguments of `forward` for one clip, and the text that stands for it in the prompt."""


@dataclass(frozen=True, slots=True)
class ProcessorSampling:
    """Frames as the base's own processor samples and resizes them; see `ClipSampling`."""

    key: str
    """A hash of the processor's settings."""
    count: int
    folder: Path
    data: Data

    def __repr__(self) -> str:
        return f"ProcessorSampling({self.key})"

    def decode(self, clip: ClipFile) -> TimedFrames:
        processor = own_processor(self.folder, self.data)
        frames, timing = decode_timed(
            clip.path, lambda total, fps: processor.indices(total, fps, clip.name), clip.name, clip.span
        )
        return processor.resize(frames), timing

    def is_valid(self, cached: TimedFrames) -> bool:
        frames, timing = cached
        return timing is not None and len(timing.indices) == len(frames) > 0


class OwnProcessor:
    """A base's processor whose video processor has the settings of a recipe."""

    def __init__(self, folder: Path, data: Data) -> None:
        """
        Raises:
            Invalid: the base has no processor for videos, or none that can be read, or the recipe asks for what it
                cannot do.
        """
        read_tokenizer(folder)
        self.processor = _read_processor(folder)
        self.video: Any = video_settings(self.processor)
        name = type(self.processor).__name__
        self.template: str = without_thoughts(
            self.processor.chat_template or self.processor.tokenizer.chat_template or TEMPLATES.get(name, "")
        )
        """The chat template; where the base brings none, that of its family's published checkpoints."""
        self.processor.chat_template = self.template or None
        self.rules = rules_of(self.video)
        self.rules.apply(self.processor, data)

    @property
    def key(self) -> str:
        """A hash of everything that the frames and tensors of a clip depend on."""
        facts = [self.video.to_dict(), version("transformers"), version("torchvision")]
        return hashlib.sha256(json.dumps(facts, sort_keys=True, default=str).encode()).hexdigest()

    def indices(self, total: int, fps: float, name: str = "") -> list[int]:
        """The frames that are sampled of a clip.

        Raises:
            BadClip: it has too few.
        """
        least = self.rules.least_frames(self.video)
        if total < least:
            frames = "1 frame" if total == 1 else f"{total} frames"
            raise BadClip(name, f"has {frames}, and this base reads {least} at once. Take it out.")
        metadata = VideoMetadata(total_num_frames=total, fps=fps, duration=total / fps)
        return self.rules.indices(self.video, metadata)

    def resize(self, frames: Frames) -> Frames:
        """(T, H, W, 3) bytes as large as the base sees them."""
        pixels = torch.from_numpy(frames).permute(0, 3, 1, 2)[None]
        try:
            resized = self.rules.resize(self.video, pixels)
        except ValueError as error:
            raise Invalid(f"A clip has a shape that this base does not take: {error}.", "dataset_id") from error
        return np.ascontiguousarray(resized[0].permute(0, 2, 3, 1).numpy())

    def prepare(self, frames: Frames, timing: FrameTiming | None) -> Prepared:
        """The tensors of one clip and the text that stands for it.

        Args:
            frames: (T, H, W, 3) bytes after the resize.
        """
        timing = timing or FrameTiming(tuple(range(len(frames))), len(frames), _UNTIMED_FPS)
        metadata = VideoMetadata(
            total_num_frames=timing.total,
            fps=timing.fps,
            duration=timing.duration_s,
            frames_indices=list(timing.indices),
        )
        pixels = torch.from_numpy(np.array(frames)).permute(0, 3, 1, 2)
        processed, text = self.rules.process(self.processor, pixels, metadata)
        return self.rules.forward_inputs({name: _tensor(value) for name, value in processed.items()}), text

    @property
    def clip_token(self) -> str:
        """The token that stands for a part of the clip."""
        return self.rules.clip_token(self.processor)

    def token_types(self, ids: torch.Tensor) -> dict[str, torch.Tensor]:
        """What the processor says besides the tokens: which of them belong to the clip; nothing where it says nothing.

        Args:
            ids: (B, L).
        """
        if not self.processor.return_mm_token_type_ids:
            return {}
        return {"mm_token_type_ids": torch.tensor(self.processor.create_mm_token_type_ids(ids.tolist()))}

    def save(self, folder: Path) -> None:
        """Writes the processor with the run's settings, as `AutoProcessor.from_pretrained` reads it.

        Programs that are older than transformers 5 read the settings of pictures and videos from a file each.
        """
        self.processor.save_pretrained(folder)
        if self.video is not self.processor.image_processor:
            self.video.to_json_file(folder / "video_preprocessor_config.json")
        self.processor.image_processor.to_json_file(folder / "preprocessor_config.json")

    def join(self, clips: Sequence[dict[str, torch.Tensor]]) -> dict[str, torch.Tensor]:
        """The tensors of several clips as one batch."""
        return self.rules.join(clips)

    def least_text(self) -> str:
        """The text that stands for the smallest clip."""
        return self.prepare(np.zeros((*self.rules.smallest(self.video), 3), np.uint8), None)[1]


def own_processor(folder: Path, data: Data) -> OwnProcessor:
    """The processor of the base in a folder with the settings of a recipe; read once.

    Raises:
        Invalid: as `OwnProcessor`.
    """
    return _read_once(folder, data.model_dump_json())


@lru_cache(maxsize=8)
def _read_once(folder: Path, data: str) -> OwnProcessor:
    return OwnProcessor(folder, Data.model_validate_json(data))


def processor_sampling(base: Base, data: Data) -> ProcessorSampling:
    """The sampling of a run.

    Raises:
        Invalid: as `OwnProcessor`.
    """
    processor = own_processor(base.folder, data)
    if problem := processor.rules.problem(processor.processor, base.config):
        raise Invalid(f"{problem} Register a complete copy of it.", "model_id")
    return ProcessorSampling(processor.key, processor.rules.most_frames(processor.video), base.folder, data)


def _read_processor(folder: Path) -> Any:
    try:
        if _has_only_picture_settings(folder):
            return _read_llava_next_video(folder)
        processor: Any = AutoProcessor.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise Invalid(
            "The base model's processor is missing or cannot be read. Register a complete copy of it.", "model_id"
        ) from error
    if getattr(processor, "video_processor", None) is None and not isinstance(processor, IdeficsProcessor):
        raise Invalid("This base came without a processor for videos. Register a complete copy of it.", "model_id")
    return processor


def _has_only_picture_settings(folder: Path) -> bool:
    """Whether a folder is laid out as LLaVA-NeXT-Video's repositories, whose settings of pictures are those of clips.

    AutoVideoProcessor of transformers 5.23 takes the name of the whole processor for that of the video processor there
    and calls itself without end.
    """
    settings = _read_json(folder / "preprocessor_config.json")
    return (
        settings.get("image_processor_type") in ("LlavaNextImageProcessor", "LlavaNextImageProcessorFast")
        and _read_json(folder / "config.json").get("model_type") == "llava_next_video"
        and "video_processor" not in _read_json(folder / "processor_config.json")
        and not (folder / "video_preprocessor_config.json").exists()
    )


def _read_llava_next_video(folder: Path) -> Any:
    settings, _ = LlavaNextVideoProcessor.get_processor_dict(folder, local_files_only=True)
    parts = [
        LlavaNextVideoVideoProcessor.from_pretrained(folder, local_files_only=True),
        AutoImageProcessor.from_pretrained(folder, local_files_only=True, trust_remote_code=False),
        read_tokenizer(folder),
    ]
    return LlavaNextVideoProcessor.from_args_and_dict(parts, settings)


def _read_json(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text()) if path.is_file() else {}


def _tensor(value: Any) -> torch.Tensor:
    return value if isinstance(value, torch.Tensor) else torch.tensor(value)
