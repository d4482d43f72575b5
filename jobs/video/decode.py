"""Decodes the sampled frames of a clip with PyAV and checks that the clip has as many frames as its header says."""

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
"""Frames; in longer clips the decoder seeks to each sampled frame, shorter ones decode faster from end to end."""
Frames = NDArray[np.uint8]
Picker = Callable[[int], list[int]]


def count_frames(path: Path, name: str = "") -> int:
    """How many frames the file really has, by its packets, without decoding."""
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
        count: frames to sample.
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
    """As `decode_frames`, and with the frames their indices in the clip and its frame rate."""
    name = name or path.name
    total, rate = _declared(path, name)
    if total < 1:
        raise BadClip(name, "has no pictures in it. Upload it again.")
    pictures, picked = _pick(path, name, total, lambda n: sample_indices(n, count, rate, fps))
    return np.stack([_prepare(picture, size, crop, resample) for picture in pictures]), picked, rate


def _declared(path: Path, name: str) -> tuple[int, float]:
    """The frame count by the header (else by the packets), and the frame rate."""
    with open_clip(path, name) as (_, stream):
        frames, rate = stream.frames, float(stream.average_rate or stream.guessed_rate or 0)
    return frames or count_frames(path, name), rate


def _pick(path: Path, name: str, total: int, picker: Picker) -> tuple[list[Frames], list[int]]:
    """Decodes the picked frames; when fewer can be decoded than the file declares, picks again among those."""
    indices = picker(total)
    frames, decoded = _read(path, name, indices, total)
    if len(frames) < len(set(indices)):
        # Some codecs drop a few frames at the ends; more than that is damage.
        if decoded < max(1, round(total * 0.9)):
            raise BadClip(name, f"stops decoding at frame {decoded} of {total}. Cut it there or upload it again.")
        indices = picker(decoded)
        frames, _ = _read(path, name, indices, decoded, seek=False)
        if len(frames) < len(set(indices)):
            raise BadClip(name, f"stops decoding at frame {decoded} of {total}. Cut it there or upload it again.")
    return [frames[index] for index in indices], indices


def _read(path: Path, name: str, indices: list[int], total: int, seek: bool = True) -> tuple[dict[int, Frames], int]:
    """(frames by index, how many of the clip could be decoded)"""
    with open_clip(path, name) as (container, stream):
        if seek and total > SEEK_ABOVE and len(indices) * 60 < total and stream.average_rate and stream.time_base:
            return _read_by_seeking(container, stream, indices, total)
        return _read_in_order(container, stream, set(indices))


def _read_in_order(container: InputContainer, stream: VideoStream, indices: set[int]) -> tuple[dict[int, Frames], int]:
    frames: dict[int, Frames] = {}
    reformatter, last, index = VideoReformatter(), max(indices), 0
    try:
        for frame in container.decode(stream):
            if index in indices:
                frames[index] = _rgb(frame, reformatter)
            index += 1
            if index > last:
                break
    except BROKEN:
        pass  # the caller reports at which frame decoding stopped
    return frames, index


def _read_by_seeking(
    container: InputContainer, stream: VideoStream, indices: list[int], total: int
) -> tuple[dict[int, Frames], int]:
    frames: dict[int, Frames] = {}
    reformatter = VideoReformatter()
    assert stream.average_rate
    assert stream.time_base
    step = 1 / (stream.average_rate * stream.time_base)
    start = stream.start_time or 0
    for index in sorted(set(indices)):
        target = start + int(index * step)
        try:
            container.seek(target, stream=stream)
            for frame in container.decode(stream):
                if frame.pts is not None and frame.pts + float(step) / 2 >= target:
                    frames[index] = _rgb(frame, reformatter)
                    break
        except BROKEN:
            return frames, index
    return frames, total


def _rgb(frame: VideoFrame, reformatter: VideoReformatter) -> Frames:
    # One thread: starting others takes 25 times as long as converting a small frame.
    return upright(np.asarray(reformatter.reformat(frame, format="rgb24", threads=1).to_ndarray(), np.uint8), frame)


def quarter_turns(frame: VideoFrame) -> int:
    """Quarter turns to the left that set a frame upright: phones store their orientation in the file."""
    return round(frame.rotation / 90) % 4


def upright(picture: Frames, frame: VideoFrame) -> Frames:
    """The pixels of a frame as players show them."""
    turns = quarter_turns(frame)
    return np.ascontiguousarray(np.rot90(picture, turns)) if turns else picture


def _prepare(picture: Frames, size: dict[str, int] | None, crop: tuple[int, int] | None, resample: int) -> Frames:
    """Resizes as the checkpoint's Pillow processor does, then crops the centre (padding with black)."""
    if size is not None:
        height, width = picture.shape[:2]
        target = fit(width, height, size)
        if target != (width, height):
            picture = np.asarray(Image.fromarray(picture).resize(target, Image.Resampling(resample)))
    if crop is None or picture.shape[:2] == crop:
        return picture
    height, width = crop
    out = np.zeros((max(height, picture.shape[0]), max(width, picture.shape[1]), 3), np.uint8)
    top, left = (out.shape[0] - picture.shape[0]) // 2, (out.shape[1] - picture.shape[1]) // 2
    out[top : top + picture.shape[0], left : left + picture.shape[1]] = picture
    top, left = (out.shape[0] - height) // 2, (out.shape[1] - width) // 2
    return out[top : top + height, left : left + width]
