"""The perceptual hash that finds near-duplicate clips: re-encoding, scaling or trimming changes few of its bits."""

import numpy as np
from PIL import Image

from jobs.video.thumbnail import FRAMES

_DOWN, _ACROSS = 8, 9


def fingerprint(strip: Image.Image) -> str:
    """64 hex digits of a film strip: for each of its four frames whether each of 64 cells is brighter than the next.

    The difference hash of N. Krawetz, "Kind of Like That" (2013), over four frames instead of one.
    """
    cells = strip.convert("L").resize((_ACROSS * FRAMES, _DOWN), Image.Resampling.BOX)
    frames = np.asarray(cells, dtype=np.int16).reshape(_DOWN, FRAMES, _ACROSS).transpose(1, 0, 2)
    return np.packbits((frames[:, :, 1:] > frames[:, :, :-1]).ravel()).tobytes().hex()
