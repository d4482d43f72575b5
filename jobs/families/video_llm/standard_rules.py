"""What a recipe sets in the processors of GLM-V, Gemma 4, Molmo2 and MiniCPM-V."""

from collections.abc import Sequence
from typing import Any, cast

import torch
from transformers.image_utils import SizeDict
from transformers.video_utils import VideoMetadata

from jobs.families.video_llm.processor_rules import Config, FixedSquares, ProcessorRules, TimedSquares, patch_problem
from orchestrator.domain.errors import Invalid
from orchestrator.domain.frame_settings import (
    fixed_rate_problem,
    least_frames_problem,
    paced_problem,
    soft_tokens_problem,
)
from orchestrator.domain.recipe_data import Data
from orchestrator.domain.vision_budget import (
    FRAMES,
    MAX_FRAMES,
    PACED_FRAMES,
    ProcessorLimits,
    VisionBudget,
    timed_sampling,
    vision_budget,
)


class LimitedSeconds(ProcessorRules):
    """Where frames follow the clip's length up to a number of seconds, and share a size: GLM-4.1V, GLM-4.5V.

    A clip that is longer than `max_duration` gives as many frames as one of that length.
    """

    def apply(self, processor: Any, data: Data) -> None:
        _refuse(least_frames_problem(data))
        video = processor.video_processor
        budget = self._apply_size(video, data, float(video.fps), int(video.max_duration * video.fps))
        video.fps = timed_sampling(data, budget.fps, None)[0]
        # Half a frame more, so that no rounding takes one.
        video.max_duration = (budget.max_frames + 0.5) / video.fps
        video.do_sample_frames = True

    def _apply_size(self, video: Any, data: Data, fps: float, most: int) -> VisionBudget:
        """Sets the size of all frames together, and returns the settings."""
        size = dict(video.size)
        own = ProcessorLimits(fps, 1, most, int(size["shortest_edge"]), int(size["longest_edge"]), shares=True)
        budget = vision_budget(data, int(video.patch_size * video.merge_size), int(video.temporal_patch_size), own)
        video.size = SizeDict(shortest_edge=budget.min_pixels, longest_edge=budget.clip_pixels)
        return budget

    def least_frames(self, video: Any) -> int:
        return 1

    def most_frames(self, video: Any) -> int:
        return int(video.max_duration * video.fps)

    def smallest(self, video: Any) -> tuple[int, int, int]:
        edge = int(video.patch_size * video.merge_size)
        return int(video.temporal_patch_size), edge, edge

    def resize(self, video: Any, frames: torch.Tensor) -> torch.Tensor:
        return video.resize(
            frames,
            size=SizeDict(**dict(video.size)),
            resample=video.resample,
            factor=int(video.patch_size * video.merge_size),
            temporal_factor=video.temporal_patch_size,
        )

    def clip_token(self, processor: Any) -> str:
        return processor.image_token

    def serving_settings(self, video: Any) -> dict[str, Any]:
        return {}


class PacedFrames(LimitedSeconds):
    """Where the clip's length alone says which frames are sampled: GLM-4.6V."""

    def apply(self, processor: Any, data: Data) -> None:
        _refuse(paced_problem(data))
        video = processor.video_processor
        self._apply_size(video, data, 2.0, MAX_FRAMES)
        video.do_sample_frames = True

    def most_frames(self, video: Any) -> int:
        return PACED_FRAMES


class SoftTokens(FixedSquares):
    """Where a fixed number of frames is spread over the clip, and each keeps its shape: Gemma 4."""

    def apply(self, processor: Any, data: Data) -> None:
        video = processor.video_processor
        _refuse(soft_tokens_problem(data))
        video.max_soft_tokens = data.frame_tokens or video.max_soft_tokens
        video.num_frames = data.frames or min(int(video.num_frames or FRAMES), MAX_FRAMES)
        video.do_sample_frames = True

    def smallest(self, video: Any) -> tuple[int, int, int]:
        edge = int(video.patch_size * video.pooling_kernel_size)
        return self.least_frames(video), edge, edge

    def resize(self, video: Any, frames: torch.Tensor) -> torch.Tensor:
        settings = video._standardize_kwargs(resample=video.resample)
        return video.aspect_ratio_preserving_resize(
            frames[0],
            patch_size=video.patch_size,
            max_patches=video.max_soft_tokens * video.pooling_kernel_size**2,
            pooling_kernel_size=video.pooling_kernel_size,
            resample=settings["resample"],
        )[None]

    def problem(self, processor: Any, config: Config) -> str:
        return patch_problem(processor, config)


class SampledSquares(TimedSquares):
    """Where frames follow the clip's length up to a limit, and the model reads those of all clips in a row: Molmo2."""

    joined_along = 0

    def apply(self, processor: Any, data: Data) -> None:
        video = processor.video_processor
        self.check_settings(video, data)
        video.max_fps, video.num_frames = timed_sampling(data, video.max_fps, video.num_frames)
        video.fps, video.do_sample_frames = None, True
        # The processor puts this token before a prompt that lacks it; with it the template says all.
        begin = processor.tokenizer.bos_token or processor.tokenizer.eos_token
        if begin and isinstance(processor.chat_template, str):
            processor.chat_template = "{{ %r }}%s" % (begin, processor.chat_template)  # noqa: UP031

    def resize(self, video: Any, frames: torch.Tensor) -> torch.Tensor:
        resized = video.resize(
            frames[0].float(), size=SizeDict(**dict(video.size)), resample=video.resample, antialias=False
        )
        return resized.round().clamp(0, 255).to(torch.uint8)[None]

    def join(self, clips: Sequence[dict[str, torch.Tensor]]) -> dict[str, torch.Tensor]:
        """The pooling of a clip names its patches by their number among those of all clips."""
        first = 0
        moved: list[dict[str, torch.Tensor]] = []
        for tensors in clips:
            pooling, pixels = tensors["video_token_pooling"], tensors.get("pixel_values_videos")
            moved.append({**tensors, "video_token_pooling": torch.where(pooling >= 0, pooling + first, pooling)})
            first += 0 if pixels is None else pixels.shape[0] * pixels.shape[1]
        return super().join(moved)

    def problem(self, processor: Any, config: Config) -> str:
        return ""

    def clip_token(self, processor: Any) -> str:
        return "<im_patch>"

    def _frame_edge(self, video: Any) -> int:
        return int(dict(video.size)["height"])


class UnslicedFrames(TimedSquares):
    """Where a frame of each second keeps its shape within a number of pixels: MiniCPM-V 4.6.

    Its processor can cut large frames into slices, which would multiply the tokens of a clip; a run's does not.
    """

    joined_along = -1

    def apply(self, processor: Any, data: Data) -> None:
        video = processor.video_processor
        _refuse(fixed_rate_problem(data))
        video.max_num_frames = data.max_frames or min(int(video.max_num_frames), MAX_FRAMES)
        video.max_slice_nums, video.stack_frames, video.do_sample_frames = 1, 1, True

    def most_frames(self, video: Any) -> int:
        return int(video.max_num_frames)

    def smallest(self, video: Any) -> tuple[int, int, int]:
        height, width = self._resized(video, (1, 1))
        return 1, height, width

    def resize(self, video: Any, frames: torch.Tensor) -> torch.Tensor:
        height, width = self._resized(video, cast(Any, tuple(frames.shape[-2:])))
        return video.resize(frames, size=SizeDict(height=height, width=width), resample=video.resample)

    def process(self, processor: Any, frames: torch.Tensor, metadata: VideoMetadata) -> tuple[dict[str, Any], str]:
        tensors, text = super().process(processor, frames, metadata)
        if processor.default_use_image_id:
            text = processor._prepend_local_ids([processor.video_token], [text], processor.video_token)[0]
        return tensors, text

    def problem(self, processor: Any, config: Config) -> str:
        return patch_problem(processor, config)

    def _resized(self, video: Any, size: tuple[int, int]) -> tuple[int, int]:
        return video.find_best_resize(
            size, video.scale_resolution, video.patch_size, allow_upscale=True, downsample_mode=video.downsample_mode
        )

    def _frame_edge(self, video: Any) -> int:
        return int(video.scale_resolution)


def _refuse(problem: tuple[str, str] | None) -> None:
    if problem is not None:
        field, sentence = problem
        raise Invalid(sentence, field)
