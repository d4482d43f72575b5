"""`python -m jobs.sandbox.make_preview SOURCE TARGET`: a small H.264 copy of a clip that every browser plays."""

import sys
from collections.abc import Iterator
from fractions import Fraction
from itertools import chain
from pathlib import Path

import av
import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter

from jobs.sandbox import limits
from jobs.video.decode import quarter_turns
from jobs.video.source import BROKEN, BadClip, open_clip

LONGEST_SIDE = 640
LONGEST_S = 120.0
MEMORY_BYTES = 3 * 2**30
CPU_S = 120
FILE_BYTES = 256 * 2**20


def make_proxy(source: Path, target: Path) -> int:
    """Writes up to two minutes of `source` to `target`; how many frames.

    Raises:
        BadClip: nothing of it can be decoded.
    """
    frames = 0
    with open_clip(source) as (container, stream), av.open(str(target), "w", format="mp4") as out:
        rate = Fraction(stream.average_rate or stream.guessed_rate or 25).limit_denominator(1001)
        rate = rate if 1 <= rate <= 120 else Fraction(25)
        pictures = container.decode(stream)
        first = _first(pictures, source)
        turns = quarter_turns(first) if first is not None else 0
        width, height = _fit(stream.codec_context.width, stream.codec_context.height)
        film = out.add_stream(
            "libx264", rate=rate, options={"crf": "26", "preset": "veryfast", "movflags": "+faststart"}
        )
        film.width, film.height = (height, width) if turns % 2 else (width, height)
        film.pix_fmt = "yuv420p"
        film.thread_type = "NONE"
        reformatter = VideoReformatter()
        try:
            for picture in chain([] if first is None else [first], pictures):
                small = reformatter.reformat(picture, width, height, "rgb24" if turns else "yuv420p")
                if turns:  # the copy is upright itself
                    pixels = np.ascontiguousarray(np.rot90(np.asarray(small.to_ndarray(), np.uint8), turns))
                    small = VideoFrame.from_ndarray(pixels, format="rgb24").reformat(format="yuv420p")
                small.pts, small.time_base = frames, 1 / rate
                small.pict_type = av.video.frame.PictureType.NONE
                out.mux(film.encode(small))
                frames += 1
                if frames >= LONGEST_S * rate:
                    break
        except BROKEN:
            if not frames:
                raise BadClip(source.name, "cannot be decoded.") from None
        out.mux(film.encode())
    if not frames:
        raise BadClip(source.name, "has no pictures in it.")
    return frames


def _first(pictures: Iterator[VideoFrame], source: Path) -> VideoFrame | None:
    try:
        return next(pictures, None)
    except BROKEN:
        raise BadClip(source.name, "cannot be decoded.") from None


def _fit(width: int, height: int) -> tuple[int, int]:
    """Even sides, neither longer than the limit."""
    scale = min(1.0, LONGEST_SIDE / max(width, height))
    return max(2, round(width * scale) // 2 * 2), max(2, round(height * scale) // 2 * 2)


def main(source: str, target: str) -> int:
    """Ends itself when it takes too much: a hostile file harms this process only."""
    limits.apply(memory_bytes=MEMORY_BYTES, cpu_s=CPU_S, file_bytes=FILE_BYTES)
    try:
        make_proxy(Path(source), Path(target))
    except (BadClip, MemoryError, *BROKEN):
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
