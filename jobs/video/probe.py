"""Checks a video file in one decoding: its facts and the frames of its film strip, or why it is refused."""

import contextlib
import time
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from av.container import InputContainer
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream

from jobs.video.decode import EXACT_BELOW, decode_sample, expected_frames
from jobs.video.film import Losses, check_end, check_losses, frame_at, shown_frames
from jobs.video.orientation import Frames, orientation_of, shown_size
from jobs.video.sampling import sample_indices
from jobs.video.source import BROKEN, BadClip, films, is_image, open_clip
from jobs.video.thumbnail import FRAMES, tile_of
from jobs.video.timeline import Timeline, build_timeline, clock_of

MAX_SECONDS = 60.0
FULL_FRAMES = EXACT_BELOW
_MISSING_END = 0.1
"""Share of a long clip that may be missing at its end."""


@dataclass(frozen=True)
class ClipProbe:
    """A clip's facts as players show it: `frames` were decoded, `duration_s` is by their time stamps.

    Attributes:
        note: what of the file is not used, as a sentence; "" where all of it is.
    """

    frames: int
    fps: float
    width: int
    height: int
    duration_s: float
    codec: str
    note: str = ""
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
        promised = check_end(path, name, container, stream)
        others = len(films(container)) - 1
        indices = _strip_indices(path, name, stream, promised) if strip else []
        reader = _Reader(name, max_seconds, full_frames, indices, scaler or VideoReformatter())
        timeline = reader.run(container, stream)
        codec, number = stream.codec_context.name, stream.index
        if timeline is not None:
            check_losses(path, name, stream, len(reader.shown), reader.losses)
    if timeline is None:
        timeline = _long_timeline(path, name)
    if timeline.frames == 1 and codec in _PICTURE_CODECS:
        raise BadClip(name, "is a single picture, not a video.")
    tiles = _tiles(path, name, timeline, reader) if strip else []
    width, height = reader.size
    note = _note(name, reader.losses, others, number)
    return ClipProbe(
        timeline.frames, round(timeline.rate, 3), width, height, round(timeline.duration_s, 3), codec, note, tiles
    )


_PICTURE_CODECS = frozenset({"gif", "png", "apng", "webp"})
"""Codecs of pictures that may move."""


class _Reader:
    """Decodes a file once up to `limit` frames and keeps those of `indices` as tiles."""

    def __init__(
        self, name: str, seconds: float, limit: int, indices: Collection[int], scaler: VideoReformatter
    ) -> None:
        self._name, self._seconds, self._limit, self._indices = name, seconds, limit, frozenset(indices)
        self._reformatter = scaler
        self.losses = Losses()
        self.shown: list[int | None] = []
        """The time stamps of the decoded frames."""
        self.size = (0, 0)
        """(width, height) as players show the first frame."""
        self.tiles: dict[int, Frames] = {}

    def run(self, container: InputContainer, stream: VideoStream) -> Timeline | None:
        """The timeline of the decoded frames; None where there are more than the limit.

        Raises:
            BadClip: it takes too long, or there is no frame.
        """
        deadline, aspect, indices = time.monotonic() + self._seconds, stream.sample_aspect_ratio, self._indices
        frame, orientation = None, None
        for index, frame in enumerate(shown_frames(container, stream, self.losses)):
            if index == self._limit:
                return None
            if orientation is None:
                orientation = orientation_of(frame)
                self.size = shown_size(frame.width, frame.height, aspect, orientation)
            if index in indices:
                self.tiles[index] = tile_of(frame, self._reformatter, aspect, orientation)
            self.shown.append(frame.pts)
            if time.monotonic() > deadline:
                raise BadClip(self._name, f"takes longer than {self._seconds:.0f} seconds to decode. Make it shorter.")
        if frame is None:
            raise BadClip(self._name, "has no picture that can be decoded. Upload it again or as MP4.")
        return build_timeline(self.shown, frame.duration or 0, clock_of(container, stream))


def _strip_indices(path: Path, name: str, stream: VideoStream, promised: int | None) -> list[int]:
    """The frames of the strip by what header or packets promise, so that it can be made while decoding.

    Args:
        promised: by `check_end`.
    """
    expected = stream.frames if promised is None else promised
    if not expected:
        by_packets = expected_frames(path, name)
        expected = by_packets.timeline.frames if by_packets else 0
    return sample_indices(expected, FRAMES) if 0 < expected <= FULL_FRAMES else []


def _tiles(path: Path, name: str, timeline: Timeline, reader: _Reader) -> list[Frames]:
    """The frames of the strip; those of a long clip, or of one that shows other frames than it promised, are read."""
    indices = timeline.sample(FRAMES)
    if all(index in reader.tiles for index in indices):
        return [reader.tiles[index] for index in indices]
    return [tile_of(picture) for picture in decode_sample(path, FRAMES, name=name).frames]


def _long_timeline(path: Path, name: str) -> Timeline:
    """The frames of a long clip by its packets; its last part, where a truncated upload shows, is decoded."""
    expected = expected_frames(path, name)
    if expected is None:
        raise BadClip(name, "cannot be read to its end. It is cut off or damaged: upload it again, or as MP4.")
    last, timeline = expected.stamps[-1], expected.timeline
    if last is None or not expected.clock.seeks:
        return timeline
    with open_clip(path, name) as (container, stream), contextlib.suppress(*BROKEN):
        frame = frame_at(container, stream, last, expected.clock)
        stamp = None if frame is None else frame.pts
        missing = timeline.duration_s if stamp is None else float((last - stamp) * expected.clock.time_base)
        if missing > _MISSING_END * timeline.duration_s:
            there = timeline.duration_s - missing
            raise BadClip(name, f"is damaged: nothing can be decoded after {there:.0f} s. Upload it again or as MP4.")
    return timeline


def _note(name: str, losses: Losses, others: int, number: int) -> str:
    notes = []
    if losses.keyless:
        notes.append(f"begins without a key frame: its first {losses.keyless} pictures cannot be shown")
    if losses.packets:
        notes.append(f"is damaged: {losses.packets} of its pictures are left out")
    if others:
        notes.append(f"holds {others + 1} films: the one that players show (stream {number}) is used")
    return f"{name} {'; it '.join(notes)}." if notes else ""
