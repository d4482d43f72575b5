"""`python -m jobs.sandbox.draw_frames`: draws the frames that a model gets of one clip, with the trainer's own code."""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from jobs.families.registry import read_base, resolve
from jobs.sandbox import limits
from jobs.video.cache import ClipFile, ClipSampling, Sampling
from jobs.video.decode import Sample, decode_sample
from jobs.video.orientation import Frames
from orchestrator.domain.annotations import Span
from orchestrator.domain.errors import AppError
from orchestrator.domain.recipes import parse_recipe

MEMORY_BYTES = 24 * 2**30
"""Of address space, of which torch alone reserves much."""
CPU_S = 120
FILE_BYTES = 512 * 2**20
OPEN_FILES = 256


def draw(request: dict[str, Any]) -> dict[str, Any]:
    """Writes a PNG of all frames to request["sheet"].

    Args:
        request: clip (a file), name, model (a folder), task, data (frames, size, fps; None: the model's own), span
            (seconds of the film; None: all of it), sheet.

    Returns:
        indices and times (s) of the frames; columns of the sheet, width and height of a frame.

    Raises:
        AppError: the clip or the base cannot be used in this way.
    """
    base = read_base(Path(request["model"]))
    family, recipe = resolve(base), parse_recipe({"data": request["data"]})
    family.check(base, recipe, request["task"])
    sampling = family.sampling(base, recipe)
    span = Span(*request["span"]) if request.get("span") else None
    frames, indices, seconds = _sample(sampling, ClipFile(Path(request["clip"]), "", request["name"], span))
    columns = min(len(indices), 8)
    sheet(frames, columns).save(request["sheet"], format="PNG")
    return {
        "indices": indices,
        "times": [round(second, 3) for second in seconds],
        "columns": columns,
        "height": int(frames.shape[1]),
        "width": int(frames.shape[2]),
    }


def _sample(sampling: ClipSampling, clip: ClipFile) -> Sample:
    if isinstance(sampling, Sampling):
        sides = dict(sampling.size)
        return decode_sample(
            clip.path, sampling.count, sides, sampling.crop, sampling.fps, sampling.resample, clip.name, clip.span
        )
    frames, timing = sampling.decode(clip)
    if timing is None:
        raise TypeError("This sampling does not say which frames it took.")
    begin = clip.span.start_s if clip.span else 0.0
    return Sample(frames, list(timing.indices), [begin + second for second in timing.seconds])


def sheet(frames: Frames, columns: int) -> Image.Image:
    """All frames (T, H, W, 3) in one image, in rows of `columns`."""
    count, height, width = frames.shape[:3]
    rows = -(-count // columns)
    image = np.zeros((rows * height, columns * width, 3), np.uint8)
    for number, frame in enumerate(frames):
        top, left = number // columns * height, number % columns * width
        image[top : top + height, left : left + width] = frame
    return Image.fromarray(image)


def main() -> int:
    """Reads one request from stdin and answers {"frames": ...} or {"problem": sentence, "field": name}."""
    limits.apply(memory_bytes=MEMORY_BYTES, cpu_s=CPU_S, file_bytes=FILE_BYTES, open_files=OPEN_FILES)
    try:
        answer: dict[str, Any] = {"frames": draw(json.loads(sys.stdin.readline()))}
    except AppError as error:
        answer = {"problem": error.message, "field": error.field}
    except MemoryError:
        sentence = "So many frames need too much memory to be drawn. Choose fewer or smaller ones."
        answer = {"problem": sentence, "field": "data.frames"}
    sys.stdout.write(json.dumps(answer) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
