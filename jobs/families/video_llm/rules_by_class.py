"""The rules of each video processor of transformers, by the name of its class."""

from collections.abc import Callable, Mapping
from typing import Any

from jobs.families.video_llm import processor_rules, standard_rules
from jobs.families.video_llm.processor_rules import ProcessorRules

_BY_CLASS: Mapping[str, Callable[[], ProcessorRules]] = {
    "Qwen3VLVideoProcessor": processor_rules.CappedFrames,
    "VideoLlama3VideoProcessor": processor_rules.SharedPixels,
    "SmolVLMVideoProcessor": processor_rules.TimedSquares,
    "LlavaOnevisionVideoProcessor": processor_rules.FixedSquares,
    "InternVLVideoProcessor": processor_rules.NumberedSquares,
    "LlavaNextVideoVideoProcessor": processor_rules.CroppedSquares,
    "IdeficsImageProcessor": processor_rules.FrameImages,
    "VideoLlavaVideoProcessor": processor_rules.CroppedSquares,
    "Glm4vVideoProcessor": standard_rules.LimitedSeconds,
    "Glm46VVideoProcessor": standard_rules.PacedFrames,
    "Gemma4VideoProcessor": standard_rules.SoftTokens,
    "Molmo2VideoProcessor": standard_rules.SampledSquares,
    "MiniCPMV4_6VideoProcessor": standard_rules.UnslicedFrames,
}


def rules_of(video: Any) -> ProcessorRules:
    """The rules of a video processor."""
    return _BY_CLASS.get(type(video).__name__, ProcessorRules)()
