"""Makes the film strip of a clip: four small frames side by side in one JPEG."""

import errno
import io
import os
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation, VideoReformatter
from PIL import Image

from jobs.video.orientation import UPRIGHT, Frames, Orientation, orientation_of, shown_size

FRAMES = 4
HEIGHT = 120
WIDTH = 160
_WIDEST = 4_096
"""Pixels; a frame whose sides differ very much is cropped before it is scaled, so that the scaled one stays small."""


def tile_of(
    picture: VideoFrame | Frames,
    reformatter: VideoReformatter | None = None,
    pixel_aspect: Fraction | None = None,
    orientation: Orientation | None = None,
) -> Frames:
    """One frame scaled to cover 160 by 120 pixels and cropped to its centre: (120, 160, 3) bytes, RGB, upright.

    Args:
        picture: as decoded, or pixels that are upright already.
        pixel_aspect: width of a decoded pixel divided by its height.
        orientation: of a decoded frame, where it is known.
    """
    if isinstance(picture, VideoFrame):
        orientation = orientation or orientation_of(picture)
    else:
        picture, orientation = VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24"), UPRIGHT
    reformatter = reformatter or VideoReformatter()
    width, height = shown_size(picture.width, picture.height, pixel_aspect, orientation)
    scale = max(WIDTH / width, HEIGHT / height)
    size = (max(WIDTH, round(width * scale)), max(HEIGHT, round(height * scale)))
    if max(size) > _WIDEST:
        full_size = orientation.upright(_pixels(reformatter.reformat(picture, format="rgb24", threads=1)))
        centre = _centre(full_size, max(1, round(WIDTH / scale)), max(1, round(HEIGHT / scale)))
        return np.asarray(Image.fromarray(centre).resize((WIDTH, HEIGHT), Image.Resampling.BILINEAR))
    # One thread: starting others takes longer than scaling so small a frame.
    small = reformatter.reformat(
        picture, *orientation.size(*size), format="rgb24", interpolation=Interpolation.BILINEAR, threads=1
    )
    return _centre(orientation.upright(_pixels(small)), WIDTH, HEIGHT)


def join_tiles(tiles: Sequence[Frames]) -> Image.Image:
    """The strip: the tiles side by side."""
    joined = np.concatenate(tiles, axis=1)
    return Image.frombuffer("RGB", (joined.shape[1], joined.shape[0]), joined, "raw", "RGB", 0, 1)


def write_strip(strip: Image.Image, out: Path) -> None:
    """Writes `out` as JPEG, not atomically: it is only read once its clip is recorded, which a crash here prevents."""
    encoded = io.BytesIO()
    strip.save(encoded, format="JPEG", quality=82)
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    try:
        file = os.open(out, flags, 0o600)
    except FileNotFoundError:
        out.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(out, flags, 0o600)
    try:
        view = encoded.getbuffer()
        if os.write(file, view) != len(view):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(out))
    finally:
        os.close(file)


def _pixels(picture: VideoFrame) -> Frames:
    return np.asarray(picture.to_ndarray(), np.uint8)


def _centre(picture: Frames, width: int, height: int) -> Frames:
    top, left = (picture.shape[0] - height) // 2, (picture.shape[1] - width) // 2
    return picture[top : top + height, left : left + width]
