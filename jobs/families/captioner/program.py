"""The program in a captioning adapter's card: transformers, peft and av, nothing of ours."""

from jobs.families.captioner.load import SKIP
from jobs.families.frame_picking_code import picking
from jobs.families.protocol import Plan


def caption_program(plan: Plan, base_ref: str) -> str:
    """Prints each clip's path and its sentence."""
    picked = picking("count", plan.recipe.data.fps)
    return _PROGRAM.format(
        rule=picked.rule,
        rate=picked.rate,
        seen=picked.seen,
        extra_import="BitsAndBytesConfig, " if plan.four_bit else "",
        base=base_ref,
        exact=_EXACT if plan.four_bit else "",
        quantization=_QUANTIZED.format(skip=list(SKIP)).rstrip("\n") if plan.four_bit else "",
    )


_PROGRAM = """import sys
from pathlib import Path

import av
import numpy as np
import torch
from peft import PeftModel
from transformers import AutoImageProcessor, AutoTokenizer, {extra_import}VisionEncoderDecoderModel

here = Path(__file__).resolve().parent
base = VisionEncoderDecoderModel.from_pretrained(
    {base}, dtype=torch.float32{quantization}
){exact}
model = PeftModel.from_pretrained(base, here).eval()
processor = AutoImageProcessor.from_pretrained(here)
tokenizer = AutoTokenizer.from_pretrained(here)
{rule}
for path in sys.argv[1:]:
    with av.open(path) as clip:
{rate}        # Upright, as players show it: phones note how they were held.
        frames = [
            np.rot90(frame.to_ndarray(format="rgb24"), round(frame.rotation / 90)).copy()
            for frame in clip.decode(video=0)
        ]
    count = base.config.encoder.num_frames
    seen = {seen}
    pixels = processor(seen, return_tensors="pt").pixel_values
    with torch.no_grad():
        said = model.generate(pixel_values=pixels, num_beams=1, do_sample=False)[0]
    print(path, tokenizer.decode(said, skip_special_tokens=True), sep="\\t")
"""
_EXACT = """
for layer in base.modules():
    if hasattr(layer, "support_avx512bf16_for_cpu"):
        layer.support_avx512bf16_for_cpu = False  # bitsandbytes' shortcut: other numbers, and not for every width"""
_QUANTIZED = """,
    quantization_config=BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.float32, llm_int8_skip_modules={skip},
    ),
"""
