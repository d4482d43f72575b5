"""Looks a video file over before it joins a dataset: its facts, or the sentence that refuses it."""

import time
from dataclasses import dataclass
from pathlib import Path

from jobs.video.problem import BadClip
from jobs.video.source import BROKEN, is_still, open_clip


@dataclass(frozen=True)
class ClipProbe:
    """A clip's facts, counted rather than believed: `frames` were decoded, `duration_s` is frames / fps."""

    frames: int
    fps: float
    width: int
    height: int
    duration_s: float
    codec: str


def probe(path: Path, name: str = "", max_seconds: float = 60.0, full_frames: int = 3_000) -> ClipProbe:
    """Decodes the clip (a longer one only at its start and its end) and returns its facts.

    Args:
        path: the file.
        name: what to call it in a sentence; its file name when empty.
        max_seconds: decoding time after which the clip is refused.
        full_frames: clips up to this many frames are decoded whole.

    Raises:
        BadClip: not a video, truncated, without pictures, sound only, too large or too slow to decode.
    """
    name = name or path.name
    with open_clip(path, name) as (container, stream):
        if is_still(stream, container):
            raise BadClip(name, "is a single picture, not a video.")
        fps = float(stream.average_rate or stream.guessed_rate or 0)
        facts = (stream.codec_context.width, stream.codec_context.height, stream.codec_context.name)
        promised = stream.frames
        try:
            packets = sum(1 for packet in container.demux(stream) if packet.size)
        except BROKEN:
            packets = 0
    total = max(promised, packets)
    if total == 0:
        raise BadClip(name, "has no pictures in it. Upload it again.")
    if promised and packets < promised * 0.98:
        raise BadClip(name, f"is cut off: {packets} of its {promised} frames are there. Upload it again.")
    decoded = _decode(path, name, packets, max_seconds, full_frames)
    frames = decoded if packets <= full_frames else packets
    fps = fps if 0 < fps < 1_000 else 25.0
    return ClipProbe(frames, round(fps, 3), facts[0], facts[1], round(frames / fps, 3), facts[2])


def _decode(path: Path, name: str, packets: int, max_seconds: float, full_frames: int) -> int:
    """How many frames decode, up to `full_frames`; refuses a clip that stops early."""
    begun, decoded, broken = time.monotonic(), 0, False
    with open_clip(path, name) as (container, stream):
        try:
            for _ in container.decode(stream):
                decoded += 1
                if decoded >= full_frames:
                    break
                if time.monotonic() - begun > max_seconds:
                    raise BadClip(name, f"takes longer than {max_seconds:.0f} seconds to decode. Make it shorter.")
        except BROKEN:
            broken = True
    expected = min(packets, full_frames)
    if decoded == 0:
        raise BadClip(name, "has no picture that can be decoded. Upload it again or as MP4.")
    if decoded < expected * 0.9 or (broken and decoded < expected - 2):
        raise BadClip(name, f"stops decoding at frame {decoded} of {packets}. Cut it there or upload it again.")
    if packets > full_frames:
        _decode_end(path, name)
    return decoded


def _decode_end(path: Path, name: str) -> None:
    """The last part of a long clip must decode too: that is where a cut-off upload shows."""
    with open_clip(path, name) as (container, stream):
        try:
            end = int((container.duration or 0) * 0.98)
            container.seek(end)
            if next(iter(container.decode(stream)), None) is None:
                raise BadClip(name, "is cut off near its end. Upload it again.")
        except BROKEN as error:
            if isinstance(error, BadClip):
                raise
            raise BadClip(name, "is cut off near its end. Upload it again.") from None
