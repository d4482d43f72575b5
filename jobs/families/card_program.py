"""The parts that the programs of all adapter cards share: imports, loading the base, reading frames from a video.

A card's program is a script that runs an adapter with transformers, peft and av alone, so nothing can be imported from
here: the parts are pasted into it. Each family has a template of its own with places for them.
"""

import inspect
import json
from collections.abc import Sequence

from jobs.families.precision import half_precision
from jobs.families.protocol import Plan
from jobs.video.sampling import even_rate, even_step, sample_by_time, sample_indices

_IMPORTS = """\
import sys
from bisect import bisect_right
from collections.abc import Sequence
from pathlib import Path

import av
import numpy as np
import torch
from av.stream import Disposition
from peft import PeftModel
from PIL import Image
{extra}from transformers import {names}
"""
_DEVICE = """\
device = "cuda" if torch.cuda.is_available() else "cpu"
half = {half} if device == "cuda" else torch.float32
"""
_BASE = """\
base = {model_class}.from_pretrained({base_ref}, {options}dtype={dtype}, device_map={{"": device}})
"""
_BASE_4_BIT = """\
base = {model_class}.from_pretrained(
    {base_ref}, {options}dtype={dtype}, device_map={{"": device}},
    quantization_config=BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=half, llm_int8_skip_modules={skip},
    ),
)
for layer in base.modules():
    if hasattr(layer, "support_avx512bf16_for_cpu"):
        layer.support_avx512bf16_for_cpu = False  # bitsandbytes' shortcut: other numbers, and not for every width
"""
_READ_FRAMES = """\
def read_frames(path: str, count: int, fps: float | None) -> list[np.ndarray]:
    frames, starts, last = [], [], 0.0
    with av.open(path) as clip:
        films = [stream for stream in clip.streams.video if not stream.disposition & Disposition.attached_pic]
        film = max(films, key=lambda stream: stream.frames)  # not a preview of it
        header = float(film.average_rate or film.guessed_rate or 25)
        for frame in clip.decode(film):
            # As players show it: the file says how to turn or mirror it, and how wide its pixels are.
            picture, aspect = frame.to_ndarray(format="rgb24"), film.sample_aspect_ratio or 1
            if aspect != 1:
                wide, high = round(frame.width * max(aspect, 1)), round(frame.height / min(aspect, 1))
                picture = np.asarray(Image.fromarray(picture).resize((wide, high), Image.Resampling.BILINEAR))
            matrix = frame.side_data.get("DISPLAYMATRIX")
            if matrix is not None:
                a, b, _, c, d = np.frombuffer(bytes(matrix), np.int32)[:5].tolist()
                if abs(b) + abs(c) > abs(a) + abs(d):
                    picture, a, d = picture.swapaxes(0, 1), c, b
                picture = picture[:: -1 if d < 0 else 1, :: -1 if a < 0 else 1]
            frames.append(np.ascontiguousarray(picture))
            starts.append(frame.time)
            last = float((frame.duration or 0) * film.time_base)
    if None in starts or sorted(set(starts)) != starts:
        starts, last = [i / header for i in range(len(frames))], 0.0
    starts = [start - starts[0] for start in starts]
    step = even_step(starts, last)
    if step or len(frames) == 1:
        rate = even_rate(step, len(frames) - 1, header) if step else header
        return [frames[i] for i in sample_indices(len(frames), count, rate, fps)]
    duration = starts[-1] + (last or starts[-1] - starts[-2])
    return [frames[i] for i in sample_by_time(starts, duration, count, fps)]
"""


def program_parts(
    plan: Plan,
    base_ref: str,
    model_class: str,
    skip_modules: Sequence[str],
    classes: Sequence[str],
    options: str = "",
    extra_imports: Sequence[str] = (),
    half_on_gpu: bool = False,
) -> dict[str, str]:
    """Text for the places `imports`, `base`, `functions` and `read_frames` of a family's template.

    `base` also defines `device`, to which the template moves what it gives to the model, and where it is needed `half`.
    The template defines `here`, the adapter's folder, before `base`, and `count`, the number of frames, before the loop
    `for path in ...`, whose body begins with `read_frames`. That leaves the frames that training used in `sampled`.

    Args:
        base_ref: the base as a Python expression.
        model_class: the class of transformers that loads it.
        skip_modules: modules that are not quantized.
        classes: what else the program imports from transformers.
        options: further arguments of `from_pretrained`, each ending in ", ".
        extra_imports: sorted import lines that come between peft and transformers.
        half_on_gpu: the base is loaded with 16 bits on a GPU, as it was trained there.
    """
    quantization: tuple[str, ...] = ("BitsAndBytesConfig",) if plan.four_bit else ()
    names = sorted((*classes, model_class, *quantization))
    base = (_BASE_4_BIT if plan.four_bit else _BASE).format(
        model_class=model_class,
        base_ref=base_ref,
        options=options,
        skip=json.dumps(list(skip_modules)),
        dtype="half" if half_on_gpu else "torch.float32",
    )
    uses_half = half_on_gpu or plan.four_bit
    lines = _DEVICE.format(half=half_precision(plan)).splitlines(keepends=True)
    device = "".join(lines if uses_half else lines[:1])
    return {
        "imports": _IMPORTS.format(extra="".join(f"{line}\n" for line in extra_imports), names=", ".join(names)),
        "base": device + base.rstrip("\n"),
        "functions": f"\n\n{frame_reader()}\n",
        "read_frames": f"    sampled = read_frames(path, count, {plan.recipe.data.fps})",
    }


def frame_reader() -> str:
    """The source of `read_frames` (path, count, fps) and the functions that it calls.

    It gives the frames of `decode_sample` without a size: of the file's film, as players show them.
    """
    functions = [inspect.getsource(function) for function in (even_step, even_rate, sample_indices, sample_by_time)]
    return "\n\n".join([*functions, _READ_FRAMES])
