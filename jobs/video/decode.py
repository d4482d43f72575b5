"""Reads the sampled frames of a clip with PyAV: in order, once, with the real frame count checked."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream
from numpy.typing import NDArray
from PIL import Image

from jobs.video.sampling import fit, sample_indices
from jobs.video.source import BROKEN, BadClip, open_clip

SEEK_ABOVE = 1_200
"""Frames; a longer clip is sought into, a shorter one decodes faster from end to end."""
Frames = NDArray[np.uint8]
Picker = Callable[[int], list[int]]


def count_frames(path: Path, name: str = "") -> int:
    """How many pictures the file really has, by its packets; nothing is decoded."""
    with open_clip(path, name) as (container, stream):
        try:
            return sum(1 for packet in container.demux(stream) if packet.size)
        except BROKEN:
            raise BadClip(name or path.name, "is cut off or damaged. Upload it again.") from None


def decode_frames(
    path: Path,
    count: int,
    size: dict[str, int] | None = None,
    crop: tuple[int, int] | None = None,
    fps: float | None = None,
    resample: int = Image.Resampling.BILINEAR,
    name: str = "",
) -> Frames:
    """Samples `count` frames over the clip.

    Args:
        path: the file.
        count: frames wanted.
        size: a processor's `size`; None leaves the pictures as they are.
        crop: (height, width) cut from the middle after resizing.
        fps: frames a second to sample at; None: spread over the whole clip.
        resample: Pillow's filter, the one the checkpoint's processor names.
        name: what to call the file in a sentence.

    Returns:
        (count, height, width, 3) bytes, RGB.

    Raises:
        BadClip: a sentence with the clip's name.
    """
    return decode_sample(path, count, size, crop, fps, resample, name)[0]


def decode_sample(
    path: Path,
    count: int,
    size: dict[str, int] | None = None,
    crop: tuple[int, int] | None = None,
    fps: float | None = None,
    resample: int = Image.Resampling.BILINEAR,
    name: str = "",
) -> tuple[Frames, list[int], float]:
    """As `decode_frames`, which gives the pictures; with them the index of each in the clip, and the clip's rate."""
    name = name or path.name
    total, rate = _promised(path, name)
    if total < 1:
        raise BadClip(name, "has no pictures in it. Upload it again.")
    pictures, picked = _pick(path, name, total, lambda n: sample_indices(n, count, rate, fps))
    return np.stack([_prepare(picture, size, crop, resample) for picture in pictures]), picked, rate


def _promised(path: Path, name: str) -> tuple[int, float]:
    """The frame count that the header (else the packets) promises, and the frame rate."""
    with open_clip(path, name) as (_, stream):
        frames, rate = stream.frames, float(stream.average_rate or stream.guessed_rate or 0)
    return frames or count_frames(path, name), rate


def _pick(path: Path, name: str, total: int, picker: Picker) -> tuple[list[Frames], list[int]]:
    """Decodes the picked frames; when the file has fewer than its packets promise, picks again from what is there."""
    wanted = picker(total)
    found, seen = _read(path, name, wanted, total)
    if len(found) < len(set(wanted)):
        # Some codecs hold back or drop a few pictures at the ends; more than that is damage.
        if seen < max(1, round(total * 0.9)):
            raise BadClip(name, f"stops decoding at frame {seen} of {total}. Cut it there or upload it again.")
        wanted = picker(seen)
        found, _ = _read(path, name, wanted, seen, seek=False)
        if len(found) < len(set(wanted)):
            raise BadClip(name, f"stops decoding at frame {seen} of {total}. Cut it there or upload it again.")
    return [found[index] for index in wanted], wanted


def _read(path: Path, name: str, wanted: list[int], total: int, seek: bool = True) -> tuple[dict[int, Frames], int]:
    with open_clip(path, name) as (container, stream):
        if seek and total > SEEK_ABOVE and len(wanted) * 60 < total and stream.average_rate and stream.time_base:
            return _read_by_seeking(container, stream, wanted, total)
        return _read_in_order(container, stream, set(wanted))


def _read_in_order(container: InputContainer, stream: VideoStream, wanted: set[int]) -> tuple[dict[int, Frames], int]:
    found: dict[int, Frames] = {}
    reformatter, last, index = VideoReformatter(), max(wanted), 0
    try:
        for frame in container.decode(stream):
            if index in wanted:
                found[index] = _rgb(frame, reformatter)
            index += 1
            if index > last:
                break
    except BROKEN:
        pass  # The caller sees how far it came and says so.
    return found, index


def _read_by_seeking(
    container: InputContainer, stream: VideoStream, wanted: list[int], total: int
) -> tuple[dict[int, Frames], int]:
    found: dict[int, Frames] = {}
    reformatter = VideoReformatter()
    assert stream.average_rate
    assert stream.time_base
    step = 1 / (stream.average_rate * stream.time_base)
    start = stream.start_time or 0
    for index in sorted(set(wanted)):
        target = start + int(index * step)
        try:
            container.seek(target, stream=stream)
            for frame in container.decode(stream):
                if frame.pts is not None and frame.pts + float(step) / 2 >= target:
                    found[index] = _rgb(frame, reformatter)
                    break
        except BROKEN:
            return found, index
    return found, total


def _rgb(frame: VideoFrame, reformatter: VideoReformatter) -> Frames:
    # One thread: starting more costs 25 times what a small picture takes.
    return upright(np.asarray(reformatter.reformat(frame, format="rgb24", threads=1).to_ndarray(), np.uint8), frame)


def quarter_turns(frame: VideoFrame) -> int:
    """Quarter turns to the left that set a frame upright: phones film as they are held, and note how that was."""
    return round(frame.rotation / 90) % 4


def upright(picture: Frames, frame: VideoFrame) -> Frames:
    """The pixels of a frame as players show them."""
    turns = quarter_turns(frame)
    return np.ascontiguousarray(np.rot90(picture, turns)) if turns else picture


def _prepare(picture: Frames, size: dict[str, int] | None, crop: tuple[int, int] | None, resample: int) -> Frames:
    """Resizes as the checkpoint's Pillow processor does, then cuts the middle out (padding with black)."""
    if size is not None:
        height, width = picture.shape[:2]
        target = fit(width, height, size)
        if target != (width, height):
            picture = np.asarray(Image.fromarray(picture).resize(target, Image.Resampling(resample)))
    if crop is None or picture.shape[:2] == crop:
        return picture
    high, wide = crop
    out = np.zeros((max(high, picture.shape[0]), max(wide, picture.shape[1]), 3), np.uint8)
    top, left = (out.shape[0] - picture.shape[0]) // 2, (out.shape[1] - picture.shape[1]) // 2
    out[top : top + picture.shape[0], left : left + picture.shape[1]] = picture
    top, left = (out.shape[0] - high) // 2, (out.shape[1] - wide) // 2
    return out[top : top + high, left : left + wide]
