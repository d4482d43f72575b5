"""`python -m jobs.sandbox.join_frames`: writes pictures as the frames of a clip, without loss."""

import json
import sys
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.error
from av.video.frame import VideoFrame
from PIL import Image, ImageOps

from jobs.sandbox import limits

MEMORY_BYTES = 3 * 2**30
CPU_S = 120
LONGEST_SIDE = 8_192


class BadFrames(Exception):
    """The pictures cannot be a clip; the message says why."""


def join_frames(pictures: Sequence[Path], target: Path, fps: float) -> None:
    """Writes the pictures, in their order, as a Matroska file (FFV1) of so many frames a second.

    Raises:
        BadFrames: one of them is no picture, too large, or of another size than the first.
    """
    rate = Fraction(fps).limit_denominator(1_000)
    with av.open(str(target), "w", format="matroska") as out:
        film = out.add_stream("ffv1", rate=rate)
        film.pix_fmt = "bgr0"
        film.thread_type = "NONE"
        size: tuple[int, int] | None = None
        for number, path in enumerate(pictures, 1):
            picture = _read(path, number)
            if size is None:
                size = film.width, film.height = picture.size
            if picture.size != size:
                raise BadFrames(
                    f"Picture {number} has {picture.width} x {picture.height} pixels and the first one {size[0]} x "
                    f"{size[1]}: the frames of a clip have one size."
                )
            frame = VideoFrame.from_image(picture)
            frame.pts, frame.time_base = number - 1, 1 / rate
            out.mux(film.encode(frame))
        out.mux(film.encode())


def _read(path: Path, number: int) -> Image.Image:
    try:
        with Image.open(path, formats=("JPEG", "PNG", "WEBP")) as picture:
            if max(picture.size) > LONGEST_SIDE:
                raise BadFrames(
                    f"Picture {number} is larger than {LONGEST_SIDE} pixels on a side. Send smaller frames."
                )
            return ImageOps.exif_transpose(picture).convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise BadFrames(f"Picture {number} is no JPEG, PNG or WebP that can be read.") from error


def main() -> int:
    """One JSON line on stdin: pictures, target, fps, bytes; prints {"problem": sentence}, "" where there is none."""
    request: dict[str, Any] = json.loads(sys.stdin.readline())
    limits.apply(memory_bytes=MEMORY_BYTES, cpu_s=CPU_S, file_bytes=int(request["bytes"]))
    target = Path(request["target"])
    try:
        join_frames([Path(name) for name in request["pictures"]], target, float(request["fps"]))
        problem = ""
    except BadFrames as error:
        problem = str(error)
    except (OSError, MemoryError, av.error.FFmpegError):
        problem = "These frames make too large a clip. Send fewer or smaller ones."
    sys.stdout.write(json.dumps({"problem": problem}) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
