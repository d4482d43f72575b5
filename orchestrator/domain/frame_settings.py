"""Settings of frames that a base's own processor cannot follow: the sentences, for the web and for the trainer."""

from collections.abc import Sequence

from orchestrator.domain.families import VisionRule
from orchestrator.domain.recipe_data import Data, FrameShape

SOFT_TOKENS = (70, 140, 280, 560, 1120)
"""Tokens of a frame that Gemma 4's processor takes."""
ONLY_KEPT = "This base's own processor prepares its clips. Choose the frame shape As in the clip."
_ANY_COUNT = ("fps", "frames", "min_frames", "max_frames")


def paced_problem(data: Data) -> tuple[str, str] | None:
    """Field and sentence where the clip's length alone says which frames are sampled, and a recipe asks for others."""
    sentence = (
        "This base's processor chooses the frames by the clip's length. Leave Frames, frames per second, and the least "
        "and most frames empty."
    )
    return _first_set(data, _ANY_COUNT, sentence)


def fixed_rate_problem(data: Data) -> tuple[str, str] | None:
    """The same where one frame of each second is taken."""
    sentence = (
        "This base's processor takes one frame of each second, of about one size. Choose the most frames, and leave "
        "the other settings of frames empty."
    )
    return _first_set(data, ("fps", "frames", "size", "min_frames", "frame_tokens"), sentence)


def soft_tokens_problem(data: Data) -> tuple[str, str] | None:
    """The same where a fixed number of frames keeps its shape within a number of tokens."""
    sentence = (
        "This base is shown a fixed number of frames in the clip's shape. Choose Frames and the tokens of a frame, and "
        "leave the other settings of frames empty."
    )
    if data.frame_tokens is not None and data.frame_tokens not in SOFT_TOKENS:
        known = ", ".join(map(str, SOFT_TOKENS))
        return "data.frame_tokens", f"A frame of this base takes one of these numbers of tokens: {known}."
    return _first_set(data, ("fps", "min_frames", "max_frames", "size"), sentence)


def least_frames_problem(data: Data) -> tuple[str, str] | None:
    """The same where there is no least number of frames."""
    return _first_set(data, ("min_frames",), "This base's processor has no least number of frames. Leave it empty.")


def frame_settings_problem(rule: VisionRule, data: Data) -> tuple[str, str] | None:
    """The problem of a family whose processor follows few of the settings; None for a family that follows the usual."""
    if data.frame_shape is not FrameShape.KEPT:
        return None
    if rule.paced:
        return paced_problem(data)
    if rule.fixed_rate:
        return fixed_rate_problem(data)
    if rule.soft_tokens:
        return soft_tokens_problem(data)
    return least_frames_problem(data) if rule.completes_alone else None


def _first_set(data: Data, names: Sequence[str], sentence: str) -> tuple[str, str] | None:
    return next(((f"data.{name}", sentence) for name in names if getattr(data, name) is not None), None)
