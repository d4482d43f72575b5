"""The program of a retriever's card: ranks clips by a sentence with transformers, peft and av alone."""

from jobs.families.frame_picking_code import picking
from jobs.families.protocol import Plan

_PROGRAM = """import sys
from pathlib import Path

import av
import numpy as np
import torch
from peft import PeftModel
from torch.nn.functional import cosine_similarity, normalize
from transformers import AutoImageProcessor, AutoTokenizer, {model}{extra_import}

here = Path(__file__).resolve().parent
base = {model}.from_pretrained(
    {base}, dtype=torch.float32{quantization}
){exact}
model = PeftModel.from_pretrained(base, here).eval().get_base_model()
processor = AutoImageProcessor.from_pretrained(here)
tokenizer = AutoTokenizer.from_pretrained(here)
{rule}
sentence, *paths = sys.argv[1:]
tokens = tokenizer([sentence], padding={padding}, truncation=True, max_length={longest}, return_tensors="pt")
tokens = {{name: tokens[name] for name in {sees} if name in tokens}}
found = []
for path in paths:
    with av.open(path) as clip:
{rate}        # Upright, as players show it: phones note how they were held.
        frames = [
            np.rot90(frame.to_ndarray(format="rgb24"), round(frame.rotation / 90)).copy()
            for frame in clip.decode(video=0)
        ]
    count = {count}
    seen = {seen}
    pixels = processor(seen, return_tensors="pt")["pixel_values"]
    pixels = pixels.reshape(1, count, *pixels.shape[-3:])
    with torch.no_grad():
        {score}
    found.append((float(score), path))
for score, path in sorted(found, reverse=True):
    print(f"{{score:.4f}}", path, sep="\\t")
"""
_EXACT = """
for layer in base.modules():
    if hasattr(layer, "support_avx512bf16_for_cpu"):
        layer.support_avx512bf16_for_cpu = False  # bitsandbytes' shortcut: other numbers, and not for every width"""
_QUANTIZED = """,
    quantization_config=BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.float32, llm_int8_skip_modules={head},
    ),
"""


def search_program(
    plan: Plan,
    base_ref: str,
    model: str,
    head: tuple[str, ...],
    count: int,
    longest: int,
    sees: tuple[str, ...],
    full_length: bool,
    score: str,
) -> tuple[str, str]:
    """`search.py`.

    Args:
        model: the class of transformers.
        head: modules that are not quantized.
        count: frames seen of a clip.
        longest: tokens of a sentence.
        sees: what the text tower takes of the tokens.
        full_length: the sentence is filled up to `longest`.
        score: lines that work `score` out of `model`, `pixels` (1, T, 3, H, W) and `tokens`.
    """
    picked = picking("count", plan.recipe.data.fps)
    program = _PROGRAM.format(
        rule=picked.rule,
        rate=picked.rate,
        seen=picked.seen,
        model=model,
        extra_import=", BitsAndBytesConfig" if plan.four_bit else "",
        base=base_ref,
        exact=_EXACT if plan.four_bit else "",
        quantization=_QUANTIZED.format(head=_listed(head)).rstrip("\n") if plan.four_bit else "",
        padding='"max_length"' if full_length else "True",
        longest=longest,
        sees=_listed(sees),
        count=count,
        score=score.strip().replace("\n", "\n        "),
    )
    return "search.py", program


def _listed(names: tuple[str, ...]) -> str:
    return "[" + ", ".join(f'"{name}"' for name in names) + "]"
