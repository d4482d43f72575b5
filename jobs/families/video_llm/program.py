"""The program in a video language model's card: the very layout that the training used, transformers, peft and av."""

import inspect

from jobs.families.frame_picking_code import picking
from jobs.families.protocol import Plan
from jobs.families.video_llm import layouts
from jobs.families.video_llm.architecture import Architecture
from jobs.families.video_llm.chat import ChatCollator, processor_of
from jobs.video.cache import Sampling

_MEAN, _STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]


def describe_program(plan: Plan, architecture: Architecture, sampling: Sampling, base_ref: str) -> str:
    """Prints each clip's path and its sentence."""
    talk, how = ChatCollator(plan, architecture, sampling), processor_of(plan.base)
    parts = [architecture.layout]
    if "qwen_patches" in inspect.getsource(architecture.layout):
        parts.insert(0, layouts.qwen_patches)
    skip = ["lm_head", *architecture.eyes]
    size = dict(sampling.size)
    picked = picking("COUNT", sampling.fps)
    return _PROGRAM.format(
        rule=picked.rule,
        rate=picked.rate,
        seen=picked.seen,
        layout="\n\n".join(inspect.getsource(part) for part in parts).replace("[str, Any]", "[str, object]"),
        name=architecture.layout.__name__,
        base=base_ref,
        exact=_EXACT if plan.four_bit else "",
        extra_import=", BitsAndBytesConfig" if plan.four_bit else "",
        quantization=_QUANTIZED.format(skip=skip).rstrip("\n") if plan.four_bit else "",
        count=sampling.count,
        edge=next(iter(size.values())),
        shrunk=_CUT if sampling.crop else _SQUARED,
        resample=sampling.resample,
        mean=how.get("image_mean", _MEAN),
        std=how.get("image_std", _STD),
        sizes=architecture.sizes(plan.base.config),
        mark=talk.tokenizer.convert_ids_to_tokens(talk.mark_id()),
        mark_id=talk.mark_id(),
        prompt=talk.prompt(),
        begins=_begins(talk),
        end=talk.end,
        pad=talk.pad_id(),
        longest=min(256, talk.longest(plan.captions) + 8),
        more=_more(architecture),
    )


def _begins(talk: ChatCollator) -> bool:
    begin = talk.tokenizer.bos_token
    return not (begin and talk.prompt().startswith(str(begin)))


def _more(architecture: Architecture) -> str:
    lines = ""
    if architecture.typed:
        lines += '    asked["mm_token_type_ids"] = (ids == MARK_ID).int() * 2\n'
    if architecture.masked:
        lines += '    asked["image_attention_mask"] = torch.ones(*ids.shape, COUNT, dtype=torch.long)\n'
    return lines


_PROGRAM = """import sys
from pathlib import Path

import av
import numpy as np
import torch
from peft import PeftModel
from PIL import Image
from transformers import AutoModelForImageTextToText, AutoTokenizer{extra_import}

here = Path(__file__).resolve().parent
COUNT, EDGE, RESAMPLE, MARK_ID = {count}, {edge}, {resample}, {mark_id}
MEAN, STD, SIZES = {mean}, {std}, {sizes}
PROMPT = {prompt!r}

{layout}
{rule}
tokenizer = AutoTokenizer.from_pretrained(here)
base = AutoModelForImageTextToText.from_pretrained(
    {base}, dtype=torch.float32{quantization}
){exact}
model = PeftModel.from_pretrained(base, here).eval()

for path in sys.argv[1:]:
    with av.open(path) as clip:
{rate}        # Upright, as players show it: phones note how they were held.
        frames = [
            np.rot90(frame.to_ndarray(format="rgb24"), round(frame.rotation / 90)).copy()
            for frame in clip.decode(video=0)
        ]
    seen = {seen}
{shrunk}    pixels = torch.from_numpy(small).permute(0, 3, 1, 2).float() / 255
    pixels = (pixels - torch.tensor(MEAN).view(3, 1, 1)) / torch.tensor(STD).view(3, 1, 1)
    asked, marks = {name}(pixels, SIZES, {mark!r})
    ids = tokenizer(PROMPT.replace("{{clip}}", marks), add_special_tokens={begins}, return_tensors="pt").input_ids
    asked |= {{"input_ids": ids, "attention_mask": torch.ones_like(ids)}}
{more}    with torch.no_grad():
        said = model.generate(
            **asked, max_new_tokens={longest}, do_sample=False, pad_token_id={pad},
            eos_token_id=tokenizer.convert_tokens_to_ids({end!r}),
        )[0, ids.shape[1] :]
    print(path, tokenizer.decode(said, skip_special_tokens=True).strip(), sep="\\t")
"""
_SQUARED = """\
    small = np.stack([np.asarray(Image.fromarray(f).resize((EDGE, EDGE), Image.Resampling(RESAMPLE))) for f in seen])
"""
_CUT = """\
    high, wide = seen[0].shape[:2]
    wanted = (EDGE, EDGE * high // wide) if wide <= high else (EDGE * wide // high, EDGE)
    left, top = (wanted[0] - EDGE) // 2, (wanted[1] - EDGE) // 2
    shrunk = [np.asarray(Image.fromarray(f).resize(wanted, Image.Resampling(RESAMPLE))) for f in seen]
    small = np.stack([f[top : top + EDGE, left : left + EDGE] for f in shrunk])
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
