"""The base's own processor with the settings of a run: it prepares clips in training exactly as it will afterwards.

The processor decides which frames are sampled, how large they become, their tensors, and the text that stands for the
clip in the prompt. What is ours is to decode the frames, to cache them after the resize, and to batch.
"""

import hashlib
import json
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import AutoProcessor
from transformers.image_utils import SizeDict
from transformers.video_utils import VideoMetadata

from jobs.families.protocol import Base
from jobs.families.tokenization import read_tokenizer
from jobs.video.cache import ClipFile, TimedFrames
from jobs.video.decode import decode_timed
from jobs.video.orientation import Frames
from jobs.video.source import BadClip
from jobs.video.timing import FrameTiming
from orchestrator.domain.errors import Invalid
from orchestrator.domain.recipe_data import Data
from orchestrator.domain.vision_budget import ProcessorLimits, VisionBudget, vision_budget

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
            Invalid: the base has no processor for videos, or none that can be read.
        """
        read_tokenizer(folder)
        self.processor = _read_processor(folder)
        self.video: Any = self.processor.video_processor
        name = type(self.processor).__name__
        self.template: str = (
            self.processor.chat_template or self.processor.tokenizer.chat_template or _TEMPLATES.get(name, "")
        )
        """The chat template; where the base brings none, that of its family's published checkpoints."""
        if not self.processor.chat_template:
            self.processor.chat_template = self.template or None
        settings = _BY_CLASS.get(type(self.video).__name__, _apply_by_frame)
        settings(self.processor, data)
        self._edge = int(self.video.patch_size * self.video.merge_size)

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
        least = int(self.video.temporal_patch_size)
        if total < least:
            raise BadClip(name, f"has {total} frame, and this base reads {least} at once. Take it out.")
        metadata = VideoMetadata(total_num_frames=total, fps=fps, duration=total / fps)
        return [int(index) for index in self.video.sample_frames(metadata=metadata)]

    def resize(self, frames: Frames) -> Frames:
        """(T, H, W, 3) bytes as large as the base sees them."""
        pixels = torch.from_numpy(frames).permute(0, 3, 1, 2)[None]
        size = SizeDict(**dict(self.video.size))
        try:
            resized = self.video.resize(
                videos=pixels,
                size=size,
                resample=self.video.resample,
                factor=self._edge,
                temporal_factor=self.video.temporal_patch_size,
                cap_pixels_per_frame=self.video.cap_pixels_per_frame,
            )
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
        processed, texts = self.processor._process_videos(
            [torch.from_numpy(np.array(frames)).permute(0, 3, 1, 2)],
            video_metadata=[metadata],
            do_sample_frames=False,
            do_resize=False,
            return_metadata=True,
            return_tensors="pt",
        )
        tensors = {name: _tensor(value) for name, value in processed.items() if name != "video_metadata"}
        return tensors, texts[0]

    def save(self, folder: Path) -> None:
        """Writes the processor with the run's settings, as `AutoProcessor.from_pretrained` reads it.

        Programs that are older than transformers 5 read the settings of pictures and videos from a file each.
        """
        self.processor.save_pretrained(folder)
        self.video.to_json_file(folder / "video_preprocessor_config.json")
        self.processor.image_processor.to_json_file(folder / "preprocessor_config.json")

    def least_text(self) -> str:
        """The text that stands for the smallest clip."""
        return self.prepare(np.zeros((int(self.video.temporal_patch_size), self._edge, self._edge, 3), np.uint8), None)[
            1
        ]


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
    vision = base.config.get("vision_config") or {}
    patch = vision.get("patch_size") or vision.get("spatial_patch_size") or processor.video.patch_size
    if int(patch) != int(processor.video.patch_size):
        raise Invalid(
            f"This base's processor cuts patches of {processor.video.patch_size} pixels and its model reads {patch}. "
            "Register a complete copy of it.",
            "model_id",
        )
    return ProcessorSampling(processor.key, int(processor.video.max_frames), base.folder, data)


def _read_processor(folder: Path) -> Any:
    try:
        processor: Any = AutoProcessor.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise Invalid(
            "The base model's processor is missing or cannot be read. Register a complete copy of it.", "model_id"
        ) from error
    if getattr(processor, "video_processor", None) is None:
        raise Invalid("This base came without a processor for videos. Register a complete copy of it.", "model_id")
    return processor


def _apply_by_frame(processor: Any, data: Data) -> None:
    """Sets what the recipe says where the processor's size is that of a frame: Qwen2-VL, Qwen2.5-VL."""
    video = processor.video_processor
    budget = _apply_sampling(video, data)
    video.size = SizeDict(shortest_edge=budget.min_pixels, longest_edge=budget.max_pixels)
    video.cap_pixels_per_frame = False


def _apply_by_clip(processor: Any, data: Data) -> None:
    """The same where the size is that of all frames together, and a frame has a limit of its own: Qwen3-VL.

    Its template writes marks around the clip, which the processor of transformers 4 replaced together with the clip.
    That of transformers 5.23 replaces the clip alone, and the marks of each frame stand inside of those; no model was
    trained so. Without marks in the template both write what the base was trained with, and so does vLLM.
    """
    video = processor.video_processor
    budget = _apply_sampling(video, data)
    video.max_video_tokens = budget.max_pixels // int(video.patch_size * video.merge_size) ** 2
    video.cap_pixels_per_frame = True
    marked = processor.vision_start_token + processor.video_token + processor.vision_end_token
    if isinstance(processor.chat_template, str):
        processor.chat_template = processor.chat_template.replace(marked, processor.video_token)
        processor.tokenizer.chat_template = processor.chat_template


_CHATML = """{% for message in messages %}<|im_start|>{{ message['role'] }}
{% if message['content'] is string %}{{ message['content'] }}{% else %}{% for part in message['content'] %}\
{% if part['type'] == 'video' %}<|vision_start|><|video_pad|><|vision_end|>{% else %}{{ part['text'] }}{% endif %}\
{% endfor %}{% endif %}<|im_end|>
{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
{% endif %}"""
_TEMPLATES: dict[str, str] = dict.fromkeys(("Qwen2VLProcessor", "Qwen2_5_VLProcessor", "Qwen3VLProcessor"), _CHATML)
"""By the class of the processor, for a base without a chat template."""

_BY_CLASS = {"Qwen3VLVideoProcessor": _apply_by_clip}


def _apply_sampling(video: Any, data: Data) -> VisionBudget:
    """Sets rate and limits: the recipe's, else the base's, within what a machine can bear."""
    size, usual = dict(video.size), ProcessorLimits()
    own = ProcessorLimits(
        video.fps,
        int(video.min_frames or usual.min_frames),
        int(video.max_frames or usual.max_frames),
        int(size.get("shortest_edge") or usual.min_pixels),
        int(size.get("longest_edge") or usual.max_pixels),
    )
    budget = vision_budget(data, int(video.patch_size * video.merge_size), int(video.temporal_patch_size), own)
    video.num_frames, video.fps = None, budget.fps
    video.min_frames, video.max_frames = budget.min_frames, budget.max_frames
    video.do_sample_frames = True
    return budget


def _tensor(value: Any) -> torch.Tensor:
    return value if isinstance(value, torch.Tensor) else torch.tensor(value)
