"""The parts that the programs of all adapter cards share: imports, loading the base, reading frames from a video.

A card's program is a script that runs an adapter with transformers, peft and av alone, so nothing can be imported from
here: the parts are pasted into it. Each family has a template of its own with places for them.
"""

import inspect
import json
from collections.abc import Sequence

from jobs.families.protocol import Plan
from jobs.video.sampling import sample_indices

_IMPORTS = """\
import sys
from pathlib import Path

import av
import numpy as np
import torch
from peft import PeftModel
{extra}from transformers import {names}
"""
_BASE = """\
base = {model_class}.from_pretrained({base_ref}, {options}dtype=torch.float32)
"""
_BASE_4_BIT = """\
base = {model_class}.from_pretrained(
    {base_ref}, {options}dtype=torch.float32,
    quantization_config=BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.float32, llm_int8_skip_modules={skip},
    ),
)
for layer in base.modules():
    if hasattr(layer, "support_avx512bf16_for_cpu"):
        layer.support_avx512bf16_for_cpu = False  # bitsandbytes' shortcut: other numbers, and not for every width
"""
_READ_FRAMES = """\
    with av.open(path) as clip:
{rate}        # Rotated as players show it: phones store their orientation in the file.
        frames = [
            np.rot90(frame.to_ndarray(format="rgb24"), round(frame.rotation / 90)).copy()
            for frame in clip.decode(video=0)
        ]
    sampled = {sampled}
"""
_RATE = """\
        stream = clip.streams.video[0]
        rate = float(stream.average_rate or stream.guessed_rate or 0)
"""


def program_parts(
    plan: Plan,
    base_ref: str,
    model_class: str,
    skip_modules: Sequence[str],
    classes: Sequence[str],
    options: str = "",
    extra_imports: Sequence[str] = (),
) -> dict[str, str]:
    """Text for the places `imports`, `base`, `functions` and `read_frames` of a family's template.

    The template defines `here`, the adapter's folder, before `base`, and `count`, the number of frames, before the loop
    `for path in ...`, whose body begins with `read_frames`. That leaves the frames that training used in `sampled`.

    Args:
        base_ref: the base as a Python expression.
        model_class: the class of transformers that loads it.
        skip_modules: modules that are not quantized.
        classes: what else the program imports from transformers.
        options: further arguments of `from_pretrained`, each ending in ", ".
        extra_imports: sorted import lines that come between peft and transformers.
    """
    quantization: tuple[str, ...] = ("BitsAndBytesConfig",) if plan.four_bit else ()
    names = sorted((*classes, model_class, *quantization))
    base = (_BASE_4_BIT if plan.four_bit else _BASE).format(
        model_class=model_class, base_ref=base_ref, options=options, skip=json.dumps(list(skip_modules))
    )
    fps = plan.recipe.data.fps
    return {
        "imports": _IMPORTS.format(extra="".join(f"{line}\n" for line in extra_imports), names=", ".join(names)),
        "base": base.rstrip("\n"),
        "functions": sampling_function(fps),
        "read_frames": _READ_FRAMES.format(rate=_RATE if fps else "", sampled=sampled_frames(fps)).rstrip("\n"),
    }


def sampling_function(fps: float | None) -> str:
    """The source of the function that picks frames at a rate, between blank lines; empty where none is needed."""
    return f"\n\n{inspect.getsource(sample_indices)}\n" if fps else ""


def sampled_frames(fps: float | None) -> str:
    """An expression for the list of frames that the training used, from `frames`, `count` and, with `fps`, `rate`."""
    if not fps:
        return "[frames[int((i + 0.5) * len(frames) / count)] for i in range(count)]"
    return f"[frames[i] for i in sample_indices(len(frames), count, rate, {fps:g})]"
