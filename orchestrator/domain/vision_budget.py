"""Which frames of a clip a video language model sees where it keeps the clip's shape, and how many tokens they take.

The web counts with this; the trainer gives the same settings to the base's own processor, which has the last word.
"""

import math
from dataclasses import dataclass

from orchestrator.domain.recipe_data import Data

FPS = 2.0
"""Frames a second, as Qwen2-VL's authors use where the base's processor names no rate."""
MAX_FRAMES = 32
"""Frames of a clip: published processors allow 768, a context of a hundred thousand tokens."""
FRAME_TOKENS = 256
"""Tokens of a frame, or of two frames that the base joins: 448 x 448 pixels of Qwen2-VL."""


@dataclass(frozen=True, slots=True)
class ProcessorLimits:
    """What a base's processor says by itself; the values are those of published Qwen2.5-VL."""

    fps: float | None = None
    min_frames: int = 4
    max_frames: int = 768
    min_pixels: int = 3136
    max_pixels: int = 12_845_056


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

    def steps(self, clip: ClipShape, joined: int, completes: bool) -> int:
        """Groups of joined frames that are sampled of a clip.

        Args:
            completes: whether a last frame without others makes a group.
        """
        wanted = clip.duration_s * self.fps
        count = min(max(math.floor(wanted) if completes else wanted, self.min_frames), self.max_frames, clip.frames)
        return max(1, math.ceil(count / joined) if completes else math.floor(count / joined))

    def resized(self, clip: ClipShape, edge: int) -> tuple[int, int]:
        """(height, width) of a frame: multiples of `edge` of about the clip's shape (Qwen2-VL's `smart_resize`)."""
        height, width = max(1, clip.height), max(1, clip.width)
        high, wide = round(height / edge) * edge, round(width / edge) * edge
        if high * wide > self.max_pixels:
            scale = math.sqrt(height * width / self.max_pixels)
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
        high, wide = self.resized(clip, edge)
        return self.steps(clip, joined, completes) * (high // edge) * (wide // edge)


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
    return VisionBudget(data.fps or own.fps or FPS, min(least, most), most, min(own.min_pixels, pixels), pixels)
