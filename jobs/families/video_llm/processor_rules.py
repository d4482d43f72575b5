"""What a recipe sets in a base's own processor, and how its frames are resized, by the class of its video processor."""

from collections.abc import Sequence
from typing import Any

import torch
from transformers.image_utils import SizeDict
from transformers.video_utils import VideoMetadata, default_sample_indices_fn

from jobs.families.video_llm import layouts
from orchestrator.domain.errors import Invalid
from orchestrator.domain.recipe_data import Data
from orchestrator.domain.vision_budget import (
    FIXED_FRAMES,
    FRAMES,
    ProcessorLimits,
    VisionBudget,
    timed_sampling,
    vision_budget,
)

Config = dict[str, Any]
IDEFICS_TOKEN = "<image>"
"""What IdeficsProcessor writes for a picture; it has no setting for it."""


class ProcessorRules:
    """Where frames follow the clip's length and keep its shape: Qwen2-VL, Qwen2.5-VL."""

    joined_along = 0
    """The axis along which the pixels of several clips are joined."""

    def apply(self, processor: Any, data: Data) -> None:
        """Sets rate, limits and size: those of the recipe, else the base's, within what a machine can bear.

        Raises:
            Invalid: the recipe asks for what this processor cannot do.
        """
        video = processor.video_processor
        budget = _apply_sampling(video, data)
        video.size = SizeDict(shortest_edge=budget.min_pixels, longest_edge=budget.max_pixels)
        video.cap_pixels_per_frame = False

    def indices(self, video: Any, metadata: VideoMetadata) -> list[int]:
        """The frames that are sampled of a clip."""
        return [int(index) for index in video.sample_frames(metadata=metadata)]

    def process(self, processor: Any, frames: torch.Tensor, metadata: VideoMetadata) -> tuple[dict[str, Any], str]:
        """What the processor makes of one clip, and the text that stands for it in the prompt.

        Args:
            frames: (T, 3, H, W) bytes after the resize.
        """
        processed, texts = processor._process_videos(
            [frames],
            video_metadata=[metadata],
            do_sample_frames=False,
            do_resize=False,
            return_metadata=True,
            return_tensors="pt",
        )
        unused = {"video_metadata", *processor.unused_input_names}
        return {name: value for name, value in processed.items() if name not in unused}, texts[0]

    def least_frames(self, video: Any) -> int:
        """The fewest frames of a clip that can be sampled."""
        return int(video.temporal_patch_size)

    def most_frames(self, video: Any) -> int:
        """The most frames that are sampled of a clip."""
        return int(video.max_frames)

    def smallest(self, video: Any) -> tuple[int, int, int]:
        """(frames, height, width) of the smallest clip after the resize."""
        return self.least_frames(video), _edge(video), _edge(video)

    def resize(self, video: Any, frames: torch.Tensor) -> torch.Tensor:
        """(1, T, 3, H, W) bytes as large as the base sees them.

        Raises:
            ValueError: the shape is one that the processor does not take.
        """
        return video.resize(
            frames,
            size=SizeDict(**dict(video.size)),
            resample=video.resample,
            factor=_edge(video),
            temporal_factor=video.temporal_patch_size,
            cap_pixels_per_frame=video.cap_pixels_per_frame,
        )

    def forward_inputs(self, tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """What the processor makes of its video processor's tensors, as arguments of `forward`."""
        return tensors

    def problem(self, processor: Any, config: Config) -> str:
        """How the processor disagrees with the model, as a sentence; "" where it does not."""
        return patch_problem(processor, config)

    def clip_token(self, processor: Any) -> str:
        """The token that stands for a part of the clip in the text of a prompt."""
        return processor.video_token

    def join(self, clips: Sequence[dict[str, torch.Tensor]]) -> dict[str, torch.Tensor]:
        """The tensors of several clips as one batch."""
        along = self.joined_along
        return {
            name: torch.cat([tensors[name] for tensors in clips], along if name.startswith("pixel_") else 0)
            for name in clips[0]
        }

    @property
    def has_chat_template(self) -> bool:
        """False where the processor takes texts and pictures in their order, and formats no chat."""
        return True

    def serving_settings(self, video: Any) -> dict[str, Any]:
        """What vLLM gives the processor of the base for the same frames; {} where it has no words for them."""
        size = {name: int(video.size[name]) for name in ("shortest_edge", "longest_edge")}
        return {"fps": video.fps, "min_frames": video.min_frames, "max_frames": video.max_frames, "size": size}


class CappedFrames(ProcessorRules):
    """Where the size is that of all frames together, and a frame has a limit of its own: Qwen3-VL.

    Its template writes marks around the clip, which the processor of transformers 4 replaced together with the clip.
    That of transformers 5.23 replaces the clip alone, and the marks of each frame stand inside of those; no model was
    trained so. Without marks in the template both write what the base was trained with, and so does vLLM.
    """

    def apply(self, processor: Any, data: Data) -> None:
        video = processor.video_processor
        budget = _apply_sampling(video, data)
        video.max_video_tokens = budget.max_pixels // _edge(video) ** 2
        video.cap_pixels_per_frame = True
        marked = processor.vision_start_token + processor.video_token + processor.vision_end_token
        if isinstance(processor.chat_template, str):
            processor.chat_template = processor.chat_template.replace(marked, processor.video_token)
            processor.tokenizer.chat_template = processor.chat_template


class SharedPixels(ProcessorRules):
    """Where all frames of a clip share the size, so that those of a short clip may be larger: VideoLLaMA 3."""

    def apply(self, processor: Any, data: Data) -> None:
        video = processor.video_processor
        budget = _apply_sampling(video, data, fps=1.0, shares=True)
        video.size = SizeDict(shortest_edge=budget.min_pixels, longest_edge=budget.clip_pixels)

    def resize(self, video: Any, frames: torch.Tensor) -> torch.Tensor:
        return video.resize(frames, size=SizeDict(**dict(video.size)), resample=video.resample, factor=_edge(video))

    def serving_settings(self, video: Any) -> dict[str, Any]:
        return {}


class TimedSquares(ProcessorRules):
    """Where frames follow the clip's length up to a limit, and each becomes a square of one size: SmolVLM2."""

    joined_along = 1

    def check_settings(self, video: Any, data: Data) -> None:
        """Raises Invalid where the recipe asks for what this processor cannot do."""
        edge = self._frame_edge(video)
        if data.size not in (None, edge):
            raise Invalid(f"This base sees exactly {edge} x {edge} pixels. Leave Frame size empty.", "data.size")
        if data.min_frames or data.frame_tokens:
            raise Invalid(
                "This base's processor has no least number of frames, and each frame takes the same number of tokens. "
                "Leave both empty.",
                "data.min_frames" if data.min_frames else "data.frame_tokens",
            )

    def apply(self, processor: Any, data: Data) -> None:
        video = processor.video_processor
        self.check_settings(video, data)
        video.fps, video.num_frames = timed_sampling(data, video.fps, video.num_frames)
        video.do_sample_frames = True
        for owner in (video, processor.image_processor):  # where programs older than transformers 5 read the same
            if getattr(owner, "video_sampling", None):
                sizes = {name: value for name, value in dict(video.size).items() if value}
                owner.video_sampling = {"fps": video.fps, "max_frames": video.num_frames, "video_size": sizes}

    def least_frames(self, video: Any) -> int:
        return 1

    def most_frames(self, video: Any) -> int:
        return int(video.num_frames)

    def smallest(self, video: Any) -> tuple[int, int, int]:
        return 1, self._frame_edge(video), self._frame_edge(video)

    def resize(self, video: Any, frames: torch.Tensor) -> torch.Tensor:
        size = SizeDict(**dict(video.size))
        # Frame by frame: it is made larger on the way, up to four times the edge.
        resized = [video.resize(frame, size=size, resample=video.resample) for frame in frames.split(1, dim=1)]
        return torch.cat(resized, dim=1)

    def problem(self, processor: Any, config: Config) -> str:
        vision, edge = config.get("vision_config") or {}, self._frame_edge(processor.video_processor)
        size, patch = int(vision.get("image_size") or edge), int(vision.get("patch_size") or 14)
        tokens = (size // patch) ** 2 // int(config.get("scale_factor") or 2) ** 2
        if (edge, int(processor.image_seq_len)) == (size, tokens):
            return ""
        return (
            f"This base's processor makes frames of {edge} pixels and {processor.image_seq_len} tokens, and its model "
            f"reads {size} pixels and {tokens} tokens."
        )

    def serving_settings(self, video: Any) -> dict[str, Any]:
        return {}

    def _frame_edge(self, video: Any) -> int:
        return int(video.max_image_size["longest_edge"])


class FixedSquares(ProcessorRules):
    """Where a fixed number of frames is spread over the clip, and each becomes a square: LLaVA-OneVision."""

    def apply(self, processor: Any, data: Data) -> None:
        video = processor.video_processor
        self._check(video, data)
        video.num_frames, video.fps, video.do_sample_frames = data.frames or FRAMES, None, True

    def _check(self, video: Any, data: Data) -> None:
        """Refuses another size, and a rate."""
        edge = self._frame_edge(video)
        if data.size not in (None, edge):
            raise Invalid(f"This base sees exactly {edge} x {edge} pixels. Leave Frame size empty.", "data.size")
        for name in ("fps", "min_frames", "max_frames", "frame_tokens"):
            if getattr(data, name) is not None:
                raise Invalid(FIXED_FRAMES, f"data.{name}")

    def least_frames(self, video: Any) -> int:
        return int(video.num_frames)

    def most_frames(self, video: Any) -> int:
        return int(video.num_frames)

    def smallest(self, video: Any) -> tuple[int, int, int]:
        return self.least_frames(video), self._frame_edge(video), self._frame_edge(video)

    def resize(self, video: Any, frames: torch.Tensor) -> torch.Tensor:
        return video.resize(frames, size=SizeDict(**dict(video.size)), resample=video.resample)

    def problem(self, processor: Any, config: Config) -> str:
        edge = self._frame_edge(video_settings(processor))
        size = (config.get("vision_config") or {}).get("image_size") or edge
        size = int(size[0] if isinstance(size, list | tuple) else size)
        if edge == size:
            return ""
        return f"This base's processor makes frames of {edge} pixels and its model reads {size}."

    def serving_settings(self, video: Any) -> dict[str, Any]:
        return {}

    def _frame_edge(self, video: Any) -> int:
        return int(dict(video.size)["height"])


class NumberedSquares(FixedSquares):
    """The same where the model reads the frames of all clips in a row: InternVL.

    A frame is prepared as a picture is. Repositories of InternVL 3 have settings of pictures only, and those of 3.5
    other ones for clips (384 pixels, CLIP's colours) that their own vision tower cannot take; vLLM and the authors'
    code use those of pictures.
    """

    def apply(self, processor: Any, data: Data) -> None:
        video, pictures = processor.video_processor, processor.image_processor
        video.size = SizeDict(**{side: int(dict(pictures.size)[side]) for side in ("height", "width")})
        video.image_mean, video.image_std = list(pictures.image_mean), list(pictures.image_std)
        video.resample = pictures.resample
        super().apply(processor, data)

    def forward_inputs(self, tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        return {"pixel_values": tensors["pixel_values_videos"].flatten(0, 1)}


class CroppedSquares(FixedSquares):
    """The same where each frame is resized by its shorter side and cropped around its middle: LLaVA-NeXT-Video."""

    def resize(self, video: Any, frames: torch.Tensor) -> torch.Tensor:
        resized = video.resize(frames, size=SizeDict(**dict(video.size)), resample=video.resample)
        return video.center_crop(resized, SizeDict(**dict(video.crop_size)))

    def _frame_edge(self, video: Any) -> int:
        return int(dict(video.crop_size)["height"])


class FrameImages(FixedSquares):
    """Where the processor knows pictures only, so that each frame is one: Flamingo (Idefics).

    It samples nothing: frames are spread as `load_video(path, num_frames=...)` of transformers spreads them. Their
    number is kept in the settings of the picture processor.
    """

    def apply(self, processor: Any, data: Data) -> None:
        self._check(processor.image_processor, data)
        processor.image_processor.num_frames = data.frames or FRAMES

    @property
    def has_chat_template(self) -> bool:
        return False

    def indices(self, video: Any, metadata: VideoMetadata) -> list[int]:
        return [int(index) for index in default_sample_indices_fn(metadata, num_frames=video.num_frames)]

    def process(self, processor: Any, frames: torch.Tensor, metadata: VideoMetadata) -> tuple[dict[str, Any], str]:
        pictures = processor.image_processor(list(frames), do_resize=False, return_tensors="pt")
        _, text = layouts.idefics(pictures, {}, IDEFICS_TOKEN)
        return {"pixel_values": pictures[None]}, text


def video_settings(processor: Any) -> Any:
    """The part of a processor that prepares frames: its video processor, or that for pictures where it has no other."""
    return getattr(processor, "video_processor", None) or processor.image_processor


def patch_problem(processor: Any, config: Config) -> str:
    """How the patches of a processor differ from those of the model, as a sentence; "" where they do not."""
    vision, own = config.get("vision_config") or {}, int(processor.video_processor.patch_size)
    patch = int(vision.get("patch_size") or vision.get("spatial_patch_size") or own)
    return "" if patch == own else f"This base's processor cuts patches of {own} pixels and its model reads {patch}."


def _edge(video: Any) -> int:
    """Pixels: a frame's edge is a multiple of this."""
    return int(video.patch_size * video.merge_size)


def _apply_sampling(video: Any, data: Data, fps: float | None = None, shares: bool = False) -> VisionBudget:
    """Sets rate and limits: the recipe's, else the base's, within what a machine can bear.

    Args:
        fps: the rate of the base's authors, where its processor names none.
        shares: as in `ProcessorLimits`.
    """
    size, usual = dict(video.size), ProcessorLimits()
    own = ProcessorLimits(
        video.fps or fps,
        int(video.min_frames or usual.min_frames),
        int(video.max_frames or usual.max_frames),
        int(size.get("shortest_edge") or usual.min_pixels),
        int(size.get("longest_edge") or usual.max_pixels),
        shares,
    )
    budget = vision_budget(data, _edge(video), int(video.temporal_patch_size), own)
    video.num_frames, video.fps = None, budget.fps
    video.min_frames, video.max_frames = budget.min_frames, budget.max_frames
    video.do_sample_frames = True
    return budget
