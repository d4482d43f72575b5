"""The program in the template's card: what the adapter says of a clip, with transformers, peft and av alone."""

from collections.abc import Sequence

from jobs.families.frame_picking_code import picking
from jobs.families.protocol import Plan


def frames_program(plan: Plan, base_ref: str, head: Sequence[str], count: int) -> str:
    """Prints each clip's path, its class and how sure the model is.

    Args:
        base_ref: the base as a Python expression; `here` is the adapter's folder.
        head: modules that are not quantized.
        count: frames seen of a clip.
    """
    picked = picking(count, plan.recipe.data.fps)
    return _PROGRAM.format(
        rule=picked.rule,
        rate=picked.rate,
        seen=picked.seen,
        extra_import="BitsAndBytesConfig, " if plan.four_bit else "",
        base=base_ref,
        count=count,
        quantization=_QUANTIZED.format(head=list(head)).rstrip("\n") if plan.four_bit else "",
        exact=_EXACT if plan.four_bit else "",
    )


_PROGRAM = """import sys
from pathlib import Path

import av
import numpy as np
import torch
from peft import PeftModel
from transformers import AutoConfig, AutoImageProcessor, {extra_import}ViTForImageClassification

here = Path(__file__).resolve().parent
config = AutoConfig.from_pretrained(here)
base = ViTForImageClassification.from_pretrained(
    {base}, config=config, ignore_mismatched_sizes=True, dtype=torch.float32{quantization}
){exact}
model = PeftModel.from_pretrained(base, here).eval()
processor = AutoImageProcessor.from_pretrained(here)
{rule}
for path in sys.argv[1:]:
    with av.open(path) as clip:
{rate}        # Upright, as players show it: phones note how they were held.
        frames = [
            np.rot90(frame.to_ndarray(format="rgb24"), round(frame.rotation / 90)).copy()
            for frame in clip.decode(video=0)
        ]
    seen = {seen}
    pixels = processor(seen, return_tensors="pt")["pixel_values"].reshape({count}, 3, *[config.image_size] * 2)
    with torch.no_grad():
        odds = model(pixel_values=pixels).logits.mean(0).softmax(-1)
    best = int(odds.argmax())
    print(path, config.id2label[best], f"{{odds[best]:.3f}}", sep="\\t")
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
