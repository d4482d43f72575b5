"""Makes the film strip of a clip: four small frames side by side in one JPEG."""

import os
from pathlib import Path

import numpy as np
from PIL import Image

from jobs.video.decode import decode_frames

FRAMES = 4
HEIGHT = 120
WIDTH = 160


def make_film_strip(path: Path, out: Path, name: str = "") -> Path:
    """Writes `out` (JPEG, 4 x 160 by 120 pixels, middle of each quarter of the clip), whole or not at all.

    Raises:
        BadClip: the clip cannot be decoded.
    """
    frames = decode_frames(path, FRAMES, name=name)
    height, width = frames.shape[1:3]
    scale = max(WIDTH / width, HEIGHT / height)
    box = (max(WIDTH, round(width * scale)), max(HEIGHT, round(height * scale)))
    left, top = (box[0] - WIDTH) // 2, (box[1] - HEIGHT) // 2
    tiles = [Image.fromarray(f).resize(box, Image.Resampling.BILINEAR) for f in frames]
    strip = np.concatenate([np.asarray(t)[top : top + HEIGHT, left : left + WIDTH] for t in tiles], axis=1)
    out.parent.mkdir(parents=True, exist_ok=True)
    part = out.with_suffix(f".{os.getpid()}.part")
    Image.fromarray(strip).save(part, format="JPEG", quality=82)
    os.replace(part, out)
    return out
