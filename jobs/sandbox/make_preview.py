"""`python -m jobs.sandbox.make_preview SOURCE TARGET`: writes a small H.264 copy of a clip, for every browser."""

import sys
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import numpy as np
from av.video.frame import PictureType, VideoFrame
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream

from jobs.sandbox import limits
from jobs.video.film import Losses, shown_frames
from jobs.video.orientation import UPRIGHT, orientation_of, shown_size
from jobs.video.source import BROKEN, BadClip, open_clip
from jobs.video.timeline import RunningClock, clock_of

MAX_SIDE = 640
MAX_SECONDS = 120.0
MEMORY_BYTES = 3 * 2**30
CPU_S = 120
FILE_BYTES = 256 * 2**20
_TICKS = 90_000
"""Units of the copy's time stamps in a second."""
_FASTEST = 120


def write_preview(source: Path, target: Path) -> int:
    """Writes up to two minutes of `source` to `target`, upright and with square pixels; how many frames.

    Raises:
        BadClip: nothing of it can be decoded.
    """
    written = 0
    with open_clip(source) as (container, stream), av.open(str(target), "w", format="mp4") as out:
        clock = clock_of(container, stream)
        running, pictures = RunningClock(clock), _Pictures(stream)
        usual = float(
            stream.guessed_rate or 0
        )  # the rate that most frames have: the encoder shows the last one so long
        rate = usual if 1 <= usual <= _FASTEST else min(max(clock.rate, 1), _FASTEST)
        film = cast(VideoStream, out.add_stream("libx264", rate=Fraction(rate).limit_denominator(1001)))
        film.options = {"crf": "26", "preset": "veryfast", "movflags": "+faststart"}
        film.codec_context.time_base = Fraction(1, _TICKS)
        film.pix_fmt, film.thread_type = "yuv420p", "NONE"
        for frame in shown_frames(container, stream, Losses()):
            second = running.second(frame.pts)
            if second >= MAX_SECONDS:
                break
            picture = pictures.picture(frame)
            if not written:
                film.width, film.height = picture.width, picture.height
            picture.pts, picture.time_base = round(second * _TICKS), Fraction(1, _TICKS)
            picture.pict_type = PictureType.NONE
            out.mux(film.encode(picture))
            written += 1
        if not written:
            raise BadClip(source.name, "has no picture that can be decoded.")
        out.mux(film.encode())
    return written


class _Pictures:
    """Makes the pictures of the copy, all as large as the first."""

    def __init__(self, stream: VideoStream) -> None:
        self._aspect = stream.sample_aspect_ratio
        self._size: tuple[int, int] | None = None
        self._reformatter = VideoReformatter()

    def picture(self, frame: VideoFrame) -> VideoFrame:
        """The frame as players show it, smaller."""
        orientation = orientation_of(frame)
        if self._size is None:
            self._size = _fit(*shown_size(frame.width, frame.height, self._aspect, orientation))
        size = orientation.size(*self._size)
        if orientation == UPRIGHT:
            return self._reformatter.reformat(frame, *size, "yuv420p")
        small = self._reformatter.reformat(frame, *size, "rgb24")
        upright = orientation.upright(np.asarray(small.to_ndarray(), np.uint8))
        return VideoFrame.from_ndarray(upright, format="rgb24").reformat(format="yuv420p")


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
