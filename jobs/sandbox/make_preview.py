"""`python -m jobs.sandbox.make_preview SOURCE TARGET`: writes a small H.264 copy of a clip, for every browser."""

import sys
from collections.abc import Iterator
from fractions import Fraction
from itertools import chain
from pathlib import Path

import av
import numpy as np
from av.video.frame import PictureType, VideoFrame
from av.video.reformatter import VideoReformatter

from jobs.sandbox import limits
from jobs.video.decode import quarter_turns
from jobs.video.source import BROKEN, BadClip, open_clip

MAX_SIDE = 640
MAX_SECONDS = 120.0
MEMORY_BYTES = 3 * 2**30
CPU_S = 120
FILE_BYTES = 256 * 2**20


def write_preview(source: Path, target: Path) -> int:
    """Writes up to two minutes of `source` to `target`, upright; how many frames.

    Raises:
        BadClip: nothing of it can be decoded.
    """
    frames = 0
    with open_clip(source) as (container, stream), av.open(str(target), "w", format="mp4") as out:
        rate = Fraction(stream.average_rate or stream.guessed_rate or 25).limit_denominator(1001)
        rate = rate if 1 <= rate <= 120 else Fraction(25)
        decoded = container.decode(stream)
        first = _first_frame(decoded, source)
        turns = quarter_turns(first) if first is not None else 0
        width, height = _fit(stream.codec_context.width, stream.codec_context.height)
        video = out.add_stream(
            "libx264", rate=rate, options={"crf": "26", "preset": "veryfast", "movflags": "+faststart"}
        )
        video.width, video.height = (height, width) if turns % 2 else (width, height)
        video.pix_fmt = "yuv420p"
        video.thread_type = "NONE"
        reformatter = VideoReformatter()
        try:
            for frame in chain([] if first is None else [first], decoded):
                small = reformatter.reformat(frame, width, height, "rgb24" if turns else "yuv420p")
                if turns:  # the copy needs no rotation to be shown upright
                    pixels = np.ascontiguousarray(np.rot90(np.asarray(small.to_ndarray(), np.uint8), turns))
                    small = VideoFrame.from_ndarray(pixels, format="rgb24").reformat(format="yuv420p")
                small.pts, small.time_base = frames, 1 / rate
                small.pict_type = PictureType.NONE
                out.mux(video.encode(small))
                frames += 1
                if frames >= MAX_SECONDS * rate:
                    break
        except BROKEN:
            if not frames:
                raise BadClip(source.name, "cannot be decoded.") from None
        out.mux(video.encode())
    if not frames:
        raise BadClip(source.name, "has no pictures in it.")
    return frames


def _first_frame(decoded: Iterator[VideoFrame], source: Path) -> VideoFrame | None:
    try:
        return next(decoded, None)
    except BROKEN:
        raise BadClip(source.name, "cannot be decoded.") from None


def _fit(width: int, height: int) -> tuple[int, int]:
    """Both sides even, and the longer one at most `MAX_SIDE`."""
    scale = min(1.0, MAX_SIDE / max(width, height))
    return max(2, round(width * scale) // 2 * 2), max(2, round(height * scale) // 2 * 2)


def main(source: str, target: str) -> int:
    """Exit code 1 when the clip cannot be copied; a hostile file harms this process only."""
    limits.apply(memory_bytes=MEMORY_BYTES, cpu_s=CPU_S, file_bytes=FILE_BYTES)
    try:
        write_preview(Path(source), Path(target))
    except (BadClip, MemoryError, *BROKEN):
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
