"""What looking at a video file gave: plain values, so that the process which opens strangers' files starts light."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ClipFacts:
    """A clip's facts, counted rather than believed; `problem` is the sentence that refuses it, else empty."""

    frames: int = 0
    fps: float = 0.0
    width: int = 0
    height: int = 0
    duration_s: float = 0.0
    codec: str = ""
    perceptual_hash: str = ""
    """Hex of what its pictures look like; near-duplicates differ in few bits."""
    problem: str = ""
