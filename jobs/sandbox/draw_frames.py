"""`python -m jobs.sandbox.draw_frames`: draws the frames of one clip that a model sees, by the trainer's own code."""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from jobs.families.registry import read_base, resolve
from jobs.sandbox import limits
from jobs.video.decode import Frames, decode_sample
from orchestrator.domain.errors import AppError
from orchestrator.domain.recipes import parse_recipe

MEMORY_BYTES = 24 * 2**30
"""Of addresses: torch alone reserves many."""
CPU_S = 120
FILE_BYTES = 512 * 2**20
OPEN_FILES = 256


def draw(wish: dict[str, Any]) -> dict[str, Any]:
    """Writes the sheet of frames (PNG, nothing lost) to wish["sheet"]; which frames they are, and when.

    Args:
        wish: clip, name, model (a folder), task, data (frames, size, fps; None: what the base was made for), sheet.

    Raises:
        AppError: the clip or the base cannot be used in this way.
    """
    base = read_base(Path(wish["model"]))
    family, recipe = resolve(base), parse_recipe({"data": wish["data"]})
    family.check(base, recipe, wish["task"])
    how = family.sampling(base, recipe)
    frames, picked, rate = decode_sample(
        Path(wish["clip"]), how.count, dict(how.size), how.crop, how.fps, how.resample, wish["name"]
    )
    columns = min(len(picked), 8)
    sheet(frames, columns).save(wish["sheet"], format="PNG")
    return {
        "indices": picked,
        "times": [round(index / rate, 3) if rate else 0.0 for index in picked],
        "columns": columns,
        "height": int(frames.shape[1]),
        "width": int(frames.shape[2]),
    }


def sheet(frames: Frames, columns: int) -> Image.Image:
    """The frames in rows of `columns`, one beside the other."""
    count, height, width = frames.shape[:3]
    rows = -(-count // columns)
    whole = np.zeros((rows * height, columns * width, 3), np.uint8)
    for number, frame in enumerate(frames):
        top, left = number // columns * height, number % columns * width
        whole[top : top + height, left : left + width] = frame
    return Image.fromarray(whole)


def main() -> int:
    """One wish on stdin; ends with {"seen": ...} or {"problem": sentence, "field": name}."""
    limits.apply(memory_bytes=MEMORY_BYTES, cpu_s=CPU_S, file_bytes=FILE_BYTES, open_files=OPEN_FILES)
    try:
        told: dict[str, Any] = {"seen": draw(json.loads(sys.stdin.readline()))}
    except AppError as error:
        told = {"problem": error.message, "field": error.field}
    except MemoryError:
        much = "So many frames need too much memory to be drawn. Choose fewer or smaller ones."
        told = {"problem": much, "field": "data.frames"}
    sys.stdout.write(json.dumps(told) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
