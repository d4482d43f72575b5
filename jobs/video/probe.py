"""Checks a video file in one decoding: its facts and the frames of its film strip, or why it is refused."""

import time
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream

from jobs.video.decode import Frames, count_frames, decode_frames, quarter_turns
from jobs.video.sampling import sample_indices
from jobs.video.source import BROKEN, BadClip, is_image, open_clip
from jobs.video.thumbnail import FRAMES, tile_of

MAX_SECONDS = 60.0
FULL_FRAMES = 3_000


@dataclass(frozen=True)
class ClipProbe:
    """A clip's facts, counted instead of read from its header: `frames` were decoded, `duration_s` is frames / fps."""

    frames: int
    fps: float
    width: int
    height: int
    duration_s: float
    codec: str
    tiles: list[Frames] = field(default_factory=list, repr=False, compare=False)
    """The frames of the film strip, when they were requested."""


def probe(
    path: Path,
    name: str = "",
    max_seconds: float = MAX_SECONDS,
    full_frames: int = FULL_FRAMES,
    strip: bool = False,
    scaler: VideoReformatter | None = None,
) -> ClipProbe:
    """Decodes the clip once (a longer one only at its start and its end) and returns its facts.

    Args:
        path: the file.
        name: what to call it in a sentence; its file name when empty.
        max_seconds: decoding time after which the clip is refused.
        full_frames: clips up to this many frames are decoded from start to end.
        strip: whether to return the frames of its film strip.
        scaler: that of the clip before, whose tables are reused for a clip of the same size.

    Raises:
        BadClip: not a video, truncated, without frames, sound only, too large or too slow to decode.
    """
    name = name or path.name
    with open_clip(path, name) as (container, stream):
        if is_image(stream, container):
            raise BadClip(name, "is a single picture, not a video.")
        fps = float(stream.average_rate or stream.guessed_rate or 0)
        facts = ClipProbe(0, fps, stream.codec_context.width, stream.codec_context.height, 0.0, _codec(stream))
        declared = stream.frames
        # Where the header has no frame count, the packets are counted first: the strip covers the whole clip.
        total = (declared or _count(path, name)) if strip else declared
        indices = sample_indices(total, FRAMES) if strip and 0 < total <= full_frames else []
        reader = _Reader(name, max_seconds, full_frames, indices, scaler or VideoReformatter())
        reader.run(container, stream, declared)
    _check(path, name, declared, reader, full_frames)
    frames = reader.decoded if reader.packets <= full_frames else reader.packets
    fps = fps if 0 < fps < 1_000 else 25.0
    tiles = _tiles(path, name, indices, reader) if strip else []
    if reader.turns % 2:  # the size as players and models see the clip
        facts = replace(facts, width=facts.height, height=facts.width)
    return replace(facts, frames=frames, fps=round(fps, 3), duration_s=round(frames / fps, 3), tiles=tiles)


class _Reader:
    """Reads a file once: decodes up to `limit` frames, keeps those of `indices` as tiles, counts its packets."""

    def __init__(
        self, name: str, seconds: float, limit: int, indices: Collection[int], scaler: VideoReformatter
    ) -> None:
        self._name, self._seconds, self._limit, self._indices = name, seconds, limit, frozenset(indices)
        self._deadline = time.monotonic() + seconds
        self._reformatter = scaler
        self.packets = self.decoded = self.turns = 0
        self.broken = False
        self.tiles: dict[int, Frames] = {}

    def run(self, container: InputContainer, stream: VideoStream, declared: int) -> None:
        """Raises BadClip when it takes too long; damage only shows in the counts, for the caller to check."""
        try:
            if 0 < declared <= self._limit:
                self._decode_all(container, stream)
                if self.decoded == declared:  # the packets need not be counted
                    self.packets = declared
                    return
                container.seek(0, stream=stream)
                self.decoded, self.broken = 0, False
            self._packet_by_packet(container, stream)
        except BROKEN as error:
            if isinstance(error, BadClip):
                raise
            self.packets = 0

    def _decode_all(self, container: InputContainer, stream: VideoStream) -> None:
        """The fast path of undamaged clips; damage shows in the number of frames."""
        try:
            for frame in container.decode(stream):
                self._add(frame)
        except BROKEN as error:
            if isinstance(error, BadClip):
                raise

    def _packet_by_packet(self, container: InputContainer, stream: VideoStream) -> None:
        for packet in container.demux(stream):
            self.packets += 1 if packet.size else 0
            if self.decoded >= self._limit or self.broken:
                continue
            try:
                for frame in packet.decode():
                    if self.decoded < self._limit:
                        self._add(cast(VideoFrame, frame))
            except BROKEN as error:
                if isinstance(error, BadClip):
                    raise
                self.broken = True

    def _add(self, frame: VideoFrame) -> None:
        if not self.decoded:
            self.turns = quarter_turns(frame)
        if self.decoded in self._indices:
            self.tiles[self.decoded] = tile_of(frame, self._reformatter)
        self.decoded += 1
        if time.monotonic() > self._deadline:
            raise BadClip(self._name, f"takes longer than {self._seconds:.0f} seconds to decode. Make it shorter.")


def _check(path: Path, name: str, declared: int, reader: _Reader, full_frames: int) -> None:
    """Refuses a clip that has no frames, is cut off, or stops decoding early."""
    packets, decoded = reader.packets, reader.decoded
    if max(declared, packets) == 0:
        raise BadClip(name, "has no pictures in it. Upload it again.")
    if declared and packets < declared * 0.98:
        raise BadClip(name, f"is cut off: {packets} of its {declared} frames are there. Upload it again.")
    if decoded == 0:
        raise BadClip(name, "has no picture that can be decoded. Upload it again or as MP4.")
    expected = min(packets, full_frames)
    if decoded < expected * 0.9 or (reader.broken and decoded < expected - 2):
        raise BadClip(name, f"stops decoding at frame {decoded} of {packets}. Cut it there or upload it again.")
    if packets > full_frames:
        _decode_end(path, name)


def _tiles(path: Path, name: str, indices: list[int], reader: _Reader) -> list[Frames]:
    """The frames of the strip; a long clip, or one shorter than it declares, is decoded again for them."""
    if indices and all(index in reader.tiles for index in indices):
        return [reader.tiles[index] for index in indices]
    return [tile_of(picture) for picture in decode_frames(path, FRAMES, name=name)]


def _count(path: Path, name: str) -> int:
    try:
        return count_frames(path, name)
    except BadClip:
        return 0


def _codec(stream: VideoStream) -> str:
    return stream.codec_context.name


def _decode_end(path: Path, name: str) -> None:
    """Decodes the last part of a long clip, where a truncated upload shows."""
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
