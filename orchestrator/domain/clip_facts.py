"""The facts that probing a video file gives: plain values, so that the sandboxed process that probes starts fast."""

from dataclasses import dataclass

READER_VERSION = 2
"""Part of each key under which frames, or what was computed from them, are stored. Increased whenever decoding,
sampling or resizing gives other pixels for some clip, so that files of earlier versions are not used."""


@dataclass(frozen=True, slots=True)
class SpanFacts:
    """What is known of a span from its own frames."""

    frames: int
    perceptual_hash: str


@dataclass(frozen=True, slots=True)
class ClipFacts:
    """The facts of a clip, from decoding it and not from its header; `problem`: why it cannot be used, else ""."""

    frames: int = 0
    fps: float = 0.0
    width: int = 0
    height: int = 0
    duration_s: float = 0.0
    codec: str = ""
    perceptual_hash: str = ""
    """Hex digits of a hash of its frames; near-duplicates differ in few bits."""
    note: str = ""
    """What of the file is not used, as a sentence."""
    problem: str = ""
