"""Draws three small clips in which every frame differs: landscape, portrait, and with a variable frame rate."""

from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import numpy as np
from av.video.stream import VideoStream
from numpy.typing import NDArray

_MILLISECOND = Fraction(1, 1000)
KINDS = {"landscape": (320, 180, 4.0), "portrait": (180, 320, 7.0), "variable-rate": (240, 240, 6.0)}
"""Name to width, height and seconds."""


def write_probe_clips(folder: Path) -> list[Path]:
    """Writes the clips as MP4 files and returns them."""
    folder.mkdir(parents=True, exist_ok=True)
    return [
        write_flickering(folder / f"{name}.mp4", width, height, seconds, varies=name == "variable-rate")
        for name, (width, height, seconds) in KINDS.items()
    ]


def write_flickering(
    path: Path, width: int, height: int, seconds: float, rate: int = 10, varies: bool = False, seed: int = 0
) -> Path:
    """A clip whose ground has another pattern in each frame, so that it matters which frames are seen, and their shape.

    Args:
        rate: frames a second.
        varies: whether frames are shown for different times, three of four for a third of the usual time.
    """
    rng, step = np.random.default_rng((width, height, seed)), 1000 / rate
    with av.open(str(path), "w") as file:
        stream = cast(VideoStream, file.add_stream("libx264", rate=rate))
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.time_base, stream.time_base = _MILLISECOND, _MILLISECOND
        stream.options = {"crf": "30", "preset": "veryfast"}
        at, number = 0.0, 0
        while at < seconds * 1000:
            frame = av.VideoFrame.from_ndarray(_pattern(rng, width, height), format="rgb24")
            frame.pts, frame.time_base = round(at), _MILLISECOND
            file.mux(stream.encode(frame))
            at += step * ((1 / 3 if number % 4 else 3) if varies else 1)
            number += 1
        file.mux(stream.encode(None))
    return path


def _pattern(rng: np.random.Generator, width: int, height: int) -> NDArray[np.uint8]:
    """Large squares of random colours."""
    squares = rng.integers(0, 256, (-(-height // 60), -(-width // 60), 3), dtype=np.uint8)
    return np.ascontiguousarray(squares.repeat(60, 0).repeat(60, 1)[:height, :width])
