"""Sets decoded frames upright: the display matrix and the shape of the pixels, as players apply them."""

import struct
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

Frames = NDArray[np.uint8]
_MATRIX = struct.Struct("=9i")
_WIDEST_PIXEL = 8
"""A pixel wider or higher than this is a wrong header, which is not applied."""


@dataclass(frozen=True, slots=True)
class Orientation:
    """How stored pixels are turned to be shown: the axes are exchanged first, then each may be reversed."""

    transposed: bool = False
    flipped_x: bool = False
    flipped_y: bool = False

    def upright(self, picture: Frames) -> Frames:
        """The pixels (height, width, 3) as they are shown."""
        if self == UPRIGHT:
            return picture
        turned = picture.swapaxes(0, 1) if self.transposed else picture
        return np.ascontiguousarray(turned[:: -1 if self.flipped_y else 1, :: -1 if self.flipped_x else 1])

    def size(self, width: int, height: int) -> tuple[int, int]:
        """(width, height) after the turn, of a size before it or the other way round."""
        return (height, width) if self.transposed else (width, height)


UPRIGHT = Orientation()
_TURNS = {
    90: Orientation(True, False, True),
    -90: Orientation(True, True, False),
    180: Orientation(False, True, True),
    -180: Orientation(False, True, True),
}
"""By the degrees that a frame is turned anticlockwise."""


def orientation_of(frame: VideoFrame) -> Orientation:
    """The nearest of the eight turns and mirrors to the frame's display matrix (ISO 14496-12, 8.3.2)."""
    try:
        stored = frame.side_data.get("DISPLAYMATRIX")
    except ValueError:  # a further kind of data that PyAV does not know, such as the EXIF of JPEG pictures
        return _TURNS.get(round(frame.rotation / 90) * 90, UPRIGHT)
    if stored is None:
        return UPRIGHT
    a, b, _, c, d, *_ = _MATRIX.unpack(bytes(stored)[: _MATRIX.size])  # x' = ax + cy, y' = bx + dy
    if abs(a) + abs(d) >= abs(b) + abs(c):
        return Orientation(False, a < 0, d < 0)
    return Orientation(True, c < 0, b < 0)


def shown_size(width: int, height: int, pixel_aspect: Fraction | None, orientation: Orientation) -> tuple[int, int]:
    """(width, height) of a picture as players show it: pixels that are not square make it wider or higher.

    Args:
        width, height: as stored.
        pixel_aspect: width of a pixel divided by its height; None: not known.
    """
    if pixel_aspect and pixel_aspect != 1 and 1 / _WIDEST_PIXEL <= pixel_aspect <= _WIDEST_PIXEL:
        if pixel_aspect > 1:
            width = max(1, round(width * pixel_aspect))
        else:
            height = max(1, round(height / pixel_aspect))
    return orientation.size(width, height)
