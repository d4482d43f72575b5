"""Makes video files whose header promises other frames than players show, or whose frames lie otherwise than shown."""

import struct
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import numpy as np
from av.container import OutputContainer
from av.stream import Disposition
from av.video.frame import PictureType
from av.video.stream import VideoStream

RATE = 24
Matrix = tuple[int, int, int, int]
"""(a, b, c, d) of a display matrix: x' = ax + cy, y' = bx + dy."""
MATRICES: dict[str, Matrix] = {
    "upright": (1, 0, 0, 1),
    "quarter to the right": (0, 1, -1, 0),
    "half": (-1, 0, 0, -1),
    "quarter to the left": (0, -1, 1, 0),
    "mirrored across": (-1, 0, 0, 1),
    "mirrored down": (1, 0, 0, -1),
    "transposed": (0, 1, 1, 0),
    "transposed the other way": (0, -1, -1, 0),
}
CORNERS = ((210, 30, 30), (30, 190, 30), (40, 40, 210), (230, 230, 230))
"""Colours of a picture's corners: top left, top right, bottom left, bottom right."""


def shade(number: int) -> int:
    """The brightness of a frame, from which `number_of` finds it again among 48."""
    return 20 + 4 * (number % 48)


def number_of(picture: np.ndarray) -> int:
    """Which frame (modulo 48) a picture is."""
    return round((float(picture.mean()) - 20) / 4)


def write_film(
    path: Path,
    frames: int = 48,
    codec: str = "libx264",
    size: tuple[int, int] = (64, 48),
    seconds: Sequence[float] | None = None,
    options: dict[str, str] | None = None,
    muxer: dict[str, str] | None = None,
    file_format: str | None = None,
    pix_fmt: str = "yuv420p",
    pixel_aspect: Fraction | None = None,
    draw: Callable[[int], np.ndarray] | None = None,
    before: Callable[[OutputContainer], Callable[[], None]] | None = None,
) -> Path:
    """Writes a film of plain frames, each of its own brightness.

    Args:
        seconds: when each frame is shown; evenly at `RATE` without it.
        draw: the picture of a frame, (height, width, 3).
        before: adds streams in front of the film and returns what writes them.
    """
    with av.open(str(path), "w", format=file_format, options=muxer or {}) as out:
        write_others = before(out) if before else None
        film = cast(VideoStream, out.add_stream(codec, rate=RATE, options=options or {}))
        film.width, film.height, film.pix_fmt = *size, pix_fmt
        unit = Fraction(1, RATE * 10 if seconds else RATE)
        film.codec_context.time_base = unit
        film.codec_context.thread_count = 1
        if pixel_aspect:
            film.codec_context.sample_aspect_ratio = pixel_aspect
        if write_others:
            write_others()
        for i in range(frames):
            pixels = draw(i) if draw else np.full((size[1], size[0], 3), shade(i), np.uint8)
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24").reformat(format=pix_fmt)
            frame.pts = round(seconds[i] / unit) if seconds else i
            frame.time_base, frame.duration = unit, round(Fraction(1, RATE) / unit)
            frame.pict_type = PictureType.NONE
            out.mux(film.encode(frame))
        out.mux(film.encode())
    return path


def corners(size: tuple[int, int] = (64, 48)) -> np.ndarray:
    """A picture with a colour in each corner."""
    width, height = size
    picture = np.zeros((height, width, 3), np.uint8)
    for number, colour in enumerate(CORNERS):
        top, left = (number // 2) * (height // 2), (number % 2) * (width // 2)
        picture[top : top + height // 2, left : left + width // 2] = colour
    return picture


def corners_of(picture: np.ndarray) -> list[int]:
    """Which of `CORNERS` lies at top left, top right, bottom left, bottom right."""
    height, width = picture.shape[:2]
    points = [picture[y, x].astype(int) for y in (height // 4, height * 3 // 4) for x in (width // 4, width * 3 // 4)]
    return [min(range(4), key=lambda n: int(np.abs(point - CORNERS[n]).sum())) for point in points]


def set_matrix(path: Path, matrix: Matrix) -> Path:
    """Writes the display matrix of an MP4's film (ISO 14496-12, 8.3.2)."""
    a, b, c, d = matrix
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 44
    data[at : at + 36] = struct.pack(">9i", a << 16, b << 16, 0, c << 16, d << 16, 0, 0, 0, 1 << 30)
    path.write_bytes(bytes(data))
    return path


def set_edits(path: Path, edits: Sequence[tuple[float, float]]) -> Path:
    """Replaces the edit list of an MP4 whose header is at its end.

    Args:
        edits: (seconds that are shown, from which second of the film on; below 0: nothing is shown for so long).
    """
    data = path.read_bytes()
    moov = data.index(b"moov") - 4
    assert moov > data.index(b"mdat"), "the header is in front: offsets would change"
    scale = struct.unpack(">I", data[(at := data.index(b"mvhd") + 16) : at + 4])[0]
    media = struct.unpack(">I", data[(at := data.index(b"mdhd") + 16) : at + 4])[0]
    body = b"".join(
        struct.pack(">IiI", round(s * scale), round(f * media) if f >= 0 else -1, 1 << 16) for s, f in edits
    )
    new = struct.pack(">II", 0, len(edits)) + body
    elst = data.index(b"elst") - 4
    old = struct.unpack(">I", data[elst : elst + 4])[0]
    new_box = struct.pack(">I", len(new) + 8) + b"elst" + new
    out = bytearray(data[:elst] + new_box + data[elst + old :])
    for box in (b"moov", b"trak", b"edts"):
        at = out.index(box) - 4
        length = struct.unpack(">I", out[at : at + 4])[0]
        out[at : at + 4] = struct.pack(">I", length + len(new_box) - old)
    path.write_bytes(bytes(out))
    return path


def cover_first(out: OutputContainer) -> Callable[[], None]:
    """Adds a cover picture in front of the film, as taggers do."""
    cover = cast(VideoStream, out.add_stream("mjpeg", rate=1))
    cover.width, cover.height, cover.pix_fmt = 600, 600, "yuvj420p"
    cover.disposition = Disposition.attached_pic

    def write() -> None:
        out.mux(cover.encode(av.VideoFrame.from_ndarray(np.full((600, 600, 3), 255, np.uint8), format="rgb24")))
        out.mux(cover.encode())

    return write


def preview_first(out: OutputContainer) -> Callable[[], None]:
    """Adds a small film of two frames in front."""
    small = cast(VideoStream, out.add_stream("libx264", rate=1))
    small.width, small.height, small.pix_fmt = 32, 24, "yuv420p"

    def write() -> None:
        for i in range(2):
            frame = av.VideoFrame.from_ndarray(np.full((24, 32, 3), 250, np.uint8), format="rgb24")
            frame.pts = i
            out.mux(small.encode(frame))
        out.mux(small.encode())

    return write


def transport_stream(path: Path, frames: int = 120, key_every: int = 30) -> Path:
    """An MPEG-TS file."""
    options = {"x264-params": f"keyint={key_every}:min-keyint={key_every}:scenecut=0:bframes=2"}
    return write_film(path, frames, options=options, file_format="mpegts")
