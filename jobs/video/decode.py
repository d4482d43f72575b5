"""The one reader of clips: the frames that players show, upright, by the second at which each is shown."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple, cast

import numpy as np
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream
from PIL import Image

from jobs.video.film import (
    Losses,
    check_end,
    check_losses,
    frame_at,
    shown_frames,
    stamps_by_index,
    stamps_by_packets,
)
from jobs.video.orientation import Frames, orientation_of, shown_size
from jobs.video.sampling import fit
from jobs.video.source import BROKEN, BadClip, open_clip
from jobs.video.timeline import StreamClock, Timeline, build_timeline, clock_of
from jobs.video.timing import FrameTiming
from orchestrator.domain.annotations import Span

SEEK_ABOVE = 1_200
"""Frames; in longer clips the decoder seeks to each sampled frame, shorter ones decode faster from end to end."""
EXACT_BELOW = 3_000
"""Frames; a longer clip is not decoded as a whole to learn which of its packets give a picture."""
_SEEK_EVERY = 60
"""Frames; where fewer lie between two sampled ones, reading on is faster than seeking."""


class Sample(NamedTuple):
    """Sampled frames: (count, height, width, 3) bytes RGB, their indices in the film, and their seconds."""

    frames: Frames
    indices: list[int]
    seconds: list[float]


class Picture(NamedTuple):
    """A decoded frame: its pixels upright, and the (width, height) at which players show them."""

    pixels: Frames
    shown: tuple[int, int]


class Expected(NamedTuple):
    """The frames of a clip before they are decoded: their time stamps, the timeline by them, and the stream's clock."""

    stamps: Sequence[int | None]
    timeline: Timeline
    clock: StreamClock
    header: tuple[int, float]
    """Frames, and their mean rate, that the file's header states; 0 where it does not."""


Choose = Callable[[Timeline, tuple[int, float]], list[int]]
"""The indices of the sampled frames by the clip's timeline and what the header states."""


def decode_sample(
    path: Path,
    count: int,
    size: dict[str, int] | None = None,
    crop: tuple[int, int] | None = None,
    fps: float | None = None,
    resample: int = Image.Resampling.BILINEAR,
    name: str = "",
    span: Span | None = None,
    views: int = 1,
) -> Sample:
    """Samples `count` frames over the clip.

    Args:
        path: the file.
        count: frames to sample.
        size: a processor's `size`; None: as large as players show them.
        crop: (height, width) cut from the middle after resizing.
        fps: frames a second to sample at; None: spread over the whole clip.
        resample: Pillow's filter, the one the checkpoint's processor names.
        name: what to call the file in a sentence.
        span: the part of the film that is the clip; None: all of it.
        views: samples of so many places of the clip, one after the other.

    Returns:
        The frames, (views * count, height, width, 3) bytes, RGB; their indices and seconds, from the beginning of the
        film.

    Raises:
        BadClip: a sentence with the clip's name.
    """

    def choose(timeline: Timeline, _: tuple[int, float]) -> list[int]:
        places = ((view + 0.5) / views for view in range(views))
        return [index for place in places for index in timeline.sample(count, fps, span, place)]

    pictures, indices, timeline, _ = _read(path, name or path.name, choose)
    width, height = pictures[0].shown
    target = fit(width, height, size) if size is not None else (width, height)
    frames = np.stack([_prepare(picture.pixels, target, crop, resample) for picture in pictures])
    return Sample(frames, indices, [timeline.starts[index] for index in indices])


def decode_timed(
    path: Path, choose: Callable[[int, float], Sequence[int]], name: str = "", span: Span | None = None
) -> tuple[Frames, FrameTiming]:
    """The frames that `choose` takes, as large as players show them, and which they are.

    Args:
        choose: from the number of frames of the clip, and how many a second, to the indices of some of them.
        span: the part of the film that is the clip; None: all of it. Its frames are counted from its beginning.

    Returns:
        (count, height, width, 3) bytes, RGB; and their timing.

    Raises:
        BadClip: a sentence with the clip's name.
    """

    def count(timeline: Timeline, header: tuple[int, float]) -> tuple[int, int, float]:
        """The first frame of the clip in the film, their number, and the rate.

        The rate is the header's where that counts the very frames: transformers reads it there.
        """
        if span is not None:
            first, part = timeline.part(span)
            return first, part.frames, part.rate if part.is_even else part.frames / part.duration_s
        frames, rate = header
        if frames != timeline.frames or rate <= 0:
            rate = timeline.rate if timeline.is_even else timeline.frames / timeline.duration_s
        return 0, timeline.frames, rate

    def indices_of(timeline: Timeline, header: tuple[int, float]) -> list[int]:
        first, frames, rate = count(timeline, header)
        return [first + int(index) for index in choose(frames, rate)]

    pictures, indices, timeline, header = _read(path, name or path.name, indices_of)
    first, frames, rate = count(timeline, header)
    pixels = np.stack(
        [_prepare(picture.pixels, pictures[0].shown, None, Image.Resampling.BICUBIC) for picture in pictures]
    )
    return pixels, FrameTiming(tuple(index - first for index in indices), frames, rate)


class SpanPictures(NamedTuple):
    """Sampled frames of a span, upright and as large as they are stored, and how many frames the span has."""

    pictures: list[Frames]
    frames: int


def decode_spans(path: Path, count: int, spans: Sequence[Span], name: str = "") -> list[SpanPictures]:
    """Samples `count` frames of each span of a film, in one reading of it.

    Raises:
        BadClip: a sentence with the clip's name.
    """

    def indices_of(timeline: Timeline, _: tuple[int, float]) -> list[int]:
        return [index for span in spans for index in timeline.sample(count, None, span)]

    pictures, _, timeline, _ = _read(path, name or path.name, indices_of)
    return [
        SpanPictures(
            [picture.pixels for picture in pictures[number * count : (number + 1) * count]],
            timeline.part(span)[1].frames,
        )
        for number, span in enumerate(spans)
    ]


def expected_frames(path: Path, name: str) -> Expected | None:
    """The frames of a clip without decoding it; None where only decoding tells."""
    with open_clip(path, name) as (container, stream):
        clock = clock_of(container, stream)
        found = stamps_by_index(stream, clock) if stream.frames > EXACT_BELOW else None
        found = found or stamps_by_packets(container, stream, clock)
        if found is None:
            return None
        timeline = build_timeline(found.stamps, found.last_duration, clock)
        return Expected(found.stamps, timeline, clock, (stream.frames, float(stream.average_rate or 0)))


def decode_timeline(path: Path, name: str) -> Timeline:
    """The frames of a clip, by decoding it as a whole.

    Raises:
        BadClip: it is cut off, damaged, or nothing of it can be decoded.
    """
    with open_clip(path, name) as (container, stream):
        check_end(path, name, container, stream)
        losses, clock = Losses(), clock_of(container, stream)
        shown = [(frame.pts, frame.duration) for frame in shown_frames(container, stream, losses)]
        check_losses(path, name, stream, len(shown), losses)
        return build_timeline([stamp for stamp, _ in shown], shown[-1][1] or 0, clock)


def _read(path: Path, name: str, choose: Choose) -> tuple[list[Picture], list[int], Timeline, tuple[int, float]]:
    """The sampled frames, their indices, and what these are chosen by.

    Where the packets promise frames that are not shown, it decodes again.
    """
    expected = expected_frames(path, name)
    if expected is not None:
        indices = choose(expected.timeline, expected.header)
        found = _read_expected(path, name, expected, indices)
        if found is not None:
            return [found[index] for index in indices], indices, expected.timeline, expected.header
    timeline, header = decode_timeline(path, name), (0, 0.0)
    indices = choose(timeline, header)
    with open_clip(path, name) as (container, stream):
        found = _in_order(container, stream, set(indices), None)
    if found is None:
        raise BadClip(name, "gives other pictures each time it is decoded. Convert it to MP4 and upload it again.")
    return [found[index] for index in indices], indices, timeline, header


def _read_expected(path: Path, name: str, expected: Expected, indices: list[int]) -> dict[int, Picture] | None:
    """The frames by index; None unless those are shown which the packets promise."""
    stamps, total = expected.stamps, expected.timeline.frames
    known = expected.clock.reliable and None not in stamps
    with open_clip(path, name) as (container, stream):
        if known and expected.clock.seeks and total > SEEK_ABOVE and len(indices) * _SEEK_EVERY < total:
            wanted = {index: cast(int, stamps[index]) for index in indices}
            return _by_seeking(container, stream, wanted, expected.clock, is_exact=total <= EXACT_BELOW)
        return _in_order(container, stream, set(indices), stamps if known else None)


def _in_order(
    container: InputContainer, stream: VideoStream, indices: set[int], stamps: Sequence[int | None] | None
) -> dict[int, Picture] | None:
    """Decodes up to the last index.

    Args:
        stamps: those that the frames must have.
    """
    found: dict[int, Picture] = {}
    reformatter, last = VideoReformatter(), max(indices)
    for index, frame in enumerate(shown_frames(container, stream, Losses())):
        if stamps is not None and frame.pts != stamps[index]:
            return None
        if index in indices:
            found[index] = picture_of(frame, stream, reformatter)
        if index == last:
            return found
    return None


def _by_seeking(
    container: InputContainer, stream: VideoStream, wanted: dict[int, int], clock: StreamClock, is_exact: bool
) -> dict[int, Picture] | None:
    """Seeks to each time stamp.

    Args:
        is_exact: whether each frame must have its own stamp, instead of being the one that is shown then.
    """
    found: dict[int, Picture] = {}
    reformatter = VideoReformatter()
    try:
        for index, stamp in sorted(wanted.items()):
            frame = frame_at(container, stream, stamp, clock)
            if frame is None or (is_exact and frame.pts != stamp):
                return None
            found[index] = picture_of(frame, stream, reformatter)
    except BROKEN:
        return None
    return found


def picture_of(frame: VideoFrame, stream: VideoStream, reformatter: VideoReformatter) -> Picture:
    """The pixels of a frame in RGB and upright, and the size at which players show them."""
    orientation = orientation_of(frame)
    # One thread: starting others takes 25 times as long as converting a small frame.
    pixels = np.asarray(reformatter.reformat(frame, format="rgb24", threads=1).to_ndarray(), np.uint8)
    shown = shown_size(frame.width, frame.height, stream.sample_aspect_ratio, orientation)
    return Picture(orientation.upright(pixels), shown)


def _prepare(picture: Frames, target: tuple[int, int], crop: tuple[int, int] | None, resample: int) -> Frames:
    """Resizes to (width, height) as the checkpoint's processor does, then crops the centre, padding in black."""
    if (picture.shape[1], picture.shape[0]) != target:
        picture = np.asarray(Image.fromarray(picture).resize(target, Image.Resampling(resample)))
    if crop is None or picture.shape[:2] == crop:
        return picture
    height, width = crop
    out = np.zeros((max(height, picture.shape[0]), max(width, picture.shape[1]), 3), np.uint8)
    top, left = (out.shape[0] - picture.shape[0]) // 2, (out.shape[1] - picture.shape[1]) // 2
    out[top : top + picture.shape[0], left : left + picture.shape[1]] = picture
    top, left = (out.shape[0] - height) // 2, (out.shape[1] - width) // 2
    return out[top : top + height, left : left + width]
