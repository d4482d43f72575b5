"""Which frames of a clip a video language model sees where its own processor samples them, and what they take.

The web counts with this; the trainer gives the same settings to the base's own processor, which has the last word.
"""

import math
from dataclasses import dataclass

from orchestrator.domain.recipe_data import Data

FRAMES = 8
"""Frames of a clip where their number is fixed and the recipe names none."""
FIXED_FRAMES = (
    "This base is shown a fixed number of square frames, spread over the whole clip. Choose Frames, and leave frames "
    "per second, the least and most frames and the tokens of a frame empty."
)
FPS = 2.0
"""Frames a second, as Qwen2-VL's authors use where the base's processor names no rate."""
MAX_FRAMES = 32
"""Frames of a clip: published processors allow 768, a context of a hundred thousand tokens."""
FRAME_TOKENS = 256
"""Tokens of a frame, or of two frames that the base joins: 448 x 448 pixels of Qwen2-VL."""
_PACES = ((30.0, 3.0), (300.0, 1.0), (2400.0, 0.5))
"""Seconds of a clip up to which GLM-4.6V's processor takes so many groups of frames a second."""
_PACED_SECONDS = 2400.0
PACED_FRAMES = 640
"""The most frames that it takes of a clip."""
EVERY_FRAME = 240.0
"""A rate at which a processor without a least number of frames samples its most of every clip."""


@dataclass(frozen=True, slots=True)
class ProcessorLimits:
    """What a base's processor says by itself; the values are those of published Qwen2.5-VL."""

    fps: float | None = None
    min_frames: int = 4
    max_frames: int = 768
    min_pixels: int = 3136
    max_pixels: int = 12_845_056
    shares: bool = False
    """True where `max_pixels` is that of all frames of a clip together."""


@dataclass(frozen=True, slots=True)
class ClipShape:
    """A clip as it is stored."""

    frames: int
    duration_s: float
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class VisionBudget:
    """The settings of a run's processor."""

    fps: float
    min_frames: int
    max_frames: int
    min_pixels: int
    """Of a frame."""
    max_pixels: int
    clip_pixels: int = 0
    """Of all frames of a clip together; 0 where each has a limit of its own."""

    def steps(self, clip: ClipShape, joined: int, completes: bool) -> int:
        """Groups of joined frames that are sampled of a clip.

        Args:
            completes: whether a last frame without others makes a group.
        """
        count = self._sampled(clip, completes)
        return max(1, math.ceil(count / joined) if completes else math.floor(count / joined))

    def frames(self, clip: ClipShape, joined: int, completes: bool) -> int:
        """Frames that are sampled of a clip; arguments as in `steps`."""
        if not completes:
            return self.steps(clip, joined, completes) * joined
        return max(1, int(self._sampled(clip, completes)))

    def _sampled(self, clip: ClipShape, completes: bool) -> float:
        wanted = clip.duration_s * self.fps
        return min(max(math.floor(wanted) if completes else wanted, self.min_frames), self.max_frames, clip.frames)

    def resized(self, clip: ClipShape, edge: int, frames: int = 1) -> tuple[int, int]:
        """(height, width) of a frame: multiples of `edge` of about the clip's shape (Qwen2-VL's `smart_resize`).

        Args:
            frames: those that share the pixels of the clip, where they do.
        """
        most = self.clip_pixels / frames if self.clip_pixels else self.max_pixels
        height, width = max(1, clip.height), max(1, clip.width)
        high, wide = round(height / edge) * edge, round(width / edge) * edge
        if high * wide > most:
            scale = math.sqrt(height * width / most)
            high = max(edge, math.floor(height / scale / edge) * edge)
            wide = max(edge, math.floor(width / scale / edge) * edge)
        elif high * wide < self.min_pixels:
            scale = math.sqrt(self.min_pixels / (height * width))
            high, wide = math.ceil(height * scale / edge) * edge, math.ceil(width * scale / edge) * edge
        return high, wide

    def tokens(self, clip: ClipShape, edge: int, joined: int, completes: bool = False) -> int:
        """Tokens that a clip takes in the context.

        Args:
            edge: pixels of a token's edge.
            joined: frames that become one.
            completes: as in `steps`.
        """
        return self.tokens_of(clip, edge, self.steps(clip, joined, completes), joined)

    def tokens_of(self, clip: ClipShape, edge: int, steps: int, joined: int) -> int:
        """The same where the groups of joined frames are known."""
        high, wide = self.resized(clip, edge, steps * joined)
        return steps * (high // edge) * (wide // edge)


def vision_budget(data: Data, edge: int, joined: int, own: ProcessorLimits | None = None) -> VisionBudget:
    """The settings of a recipe, else those of the base's processor, within limits that a machine can bear.

    Args:
        edge: pixels of a token's edge.
        joined: frames that become one.
    """
    own = own or ProcessorLimits()
    most = data.frames or data.max_frames or min(own.max_frames, MAX_FRAMES)
    most = max(joined, most // joined * joined)
    least = data.frames or data.min_frames or own.min_frames
    tokens = data.frame_tokens or ((data.size // edge) ** 2 if data.size else FRAME_TOKENS)
    pixels = min(max(1, tokens) * edge * edge, own.max_pixels)
    together = min(pixels * most, own.max_pixels) if own.shares else 0
    rate = data.fps or own.fps or FPS
    return VisionBudget(rate, min(least, most), most, min(own.min_pixels, pixels), pixels, together)


def timed_sampling(data: Data, fps: float | None, most: int | None) -> tuple[float, int]:
    """Frames a second, and the most frames of a clip, where a processor knows no least number of them.

    Args:
        fps, most: those of the base's processor.
    """
    if data.frames:
        return EVERY_FRAME, data.frames
    return data.fps or fps or 1.0, data.max_frames or min(most or MAX_FRAMES, MAX_FRAMES)


def timed_frames(data: Data, fps: float, most: int, clip: ClipShape) -> int:
    """The frames that are sampled of a clip with these settings; see `timed_sampling`."""
    rate, count = timed_sampling(data, fps, most)
    return max(1, min(round(clip.duration_s * rate), count, clip.frames))


def paced_frames(clip: ClipShape, joined: int) -> int:
    """The frames that GLM-4.6V's processor samples: 6, 2 or 1 a second as the clip is longer, and 640 at most.

    Args:
        joined: frames that become one.
    """
    seconds = min(clip.duration_s, _PACED_SECONDS)
    rate = next(rate for limit, rate in _PACES if seconds <= limit)
    return max(1, min(int(seconds * rate * joined), PACED_FRAMES, clip.frames))
