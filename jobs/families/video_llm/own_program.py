"""The card's program where clips are prepared by the base's own processor: plain transformers and peft."""

import json

from jobs.families.precision import half_precision
from jobs.families.protocol import Plan
from jobs.families.video_llm.architecture import Architecture
from jobs.families.video_llm.chat import MAX_CAPTION_TOKENS, ChatCollator
from jobs.families.video_llm.contract import prompt_around_pictures
from jobs.families.video_llm.own_processor import own_processor
from jobs.video.cache import ClipSampling

_PROGRAM = """\
import sys
from pathlib import Path

import torch
from peft import PeftModel
from transformers import {names}
from transformers.video_utils import load_video

here = Path(__file__).resolve().parent
device = "cuda" if torch.cuda.is_available() else "cpu"
dtype = {half} if device == "cuda" else torch.float32
question = {question!r}
paths = sys.argv[1:]
if "--question" in paths:  # another one than the run was trained with
    at = paths.index("--question")
    question, paths = paths[at + 1], paths[:at] + paths[at + 2 :]

processor = AutoProcessor.from_pretrained(here)
{base}
model = PeftModel.from_pretrained(base, here).eval()

{reading}
    with torch.no_grad():
        answer = model.generate(
            **inputs, max_new_tokens={max_new_tokens}, do_sample=False, pad_token_id={pad_id}, eos_token_id={end_id}
        )[0, inputs["input_ids"].shape[1] :]
    print(path, processor.decode(answer, skip_special_tokens=True).strip(), sep="\\t")
"""
_CHAT = """\
for path in paths:
    # The processor says which frames it wants; the same as {{"type": "video", "path": path}} where torchcodec works.
    frames, metadata = load_video(
        path, backend="pyav", sample_indices_fn=lambda metadata: processor.video_processor.sample_frames(metadata)
    )
    messages = [{system}{{
        "role": "user", "content": [{{"type": "video", "video": frames}}, {{"type": "text", "text": question}}]
    }}]
    inputs = processor.apply_chat_template(
        messages, add_generation_prompt=True, tokenize=True, return_dict=True, return_tensors="pt",
        sanitize_control_tokens=True,
        processor_kwargs={{"do_sample_frames": False, "videos_kwargs": {{"video_metadata": [metadata]}}}},
    ).to(device)"""
_PICTURES = """\
count = processor.image_processor.num_frames
for path in paths:
    # Each frame is a picture to this processor; they are spread over the clip.
    frames, _ = load_video(path, num_frames=count, backend="pyav")
    prompt = [{before!r}, *frames, {between!r} + question + {after!r}]
    inputs = processor(text=[prompt], return_tensors="pt").to(device)
    # Every word attends to all frames of the clip; by itself this processor lets it attend to the last one only.
    inputs["image_attention_mask"] = torch.ones_like(inputs["image_attention_mask"])"""
_BASE = """\
base = AutoModelForImageTextToText.from_pretrained({base_ref}, dtype=dtype, device_map={{"": device}})"""
_BASE_4_BIT = """\
base = AutoModelForImageTextToText.from_pretrained(
    {base_ref}, dtype=dtype, device_map={{"": device}},
    quantization_config=BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=dtype, llm_int8_skip_modules={skip},
    ),
)
for layer in base.modules():
    if hasattr(layer, "support_avx512bf16_for_cpu"):
        layer.support_avx512bf16_for_cpu = False  # bitsandbytes' shortcut: other numbers, and not for every width"""


def own_program(plan: Plan, architecture: Architecture, sampling: ClipSampling, base_ref: str) -> tuple[str, str]:
    """File name and source of a program that prints each clip's path and its answer."""
    collator = ChatCollator(plan, architecture, sampling)
    names = ["AutoModelForImageTextToText", "AutoProcessor", *(["BitsAndBytesConfig"] if plan.four_bit else [])]
    skip = json.dumps(["lm_head", *architecture.vision_modules])
    has_template = own_processor(plan.base.folder, plan.recipe.data).rules.has_chat_template
    parts = [{"type": "text", "text": plan.system}]
    system = {"role": "system", "content": plan.system if collator.system_is_text else parts}
    before, between, after = prompt_around_pictures(collator)
    reading = (
        _CHAT.format(system=f"{system!r}, " if plan.system else "")
        if has_template
        else _PICTURES.format(before=before, between=between, after=after)
    )
    program = _PROGRAM.format(
        reading=reading,
        half=half_precision(plan),
        names=", ".join(names),
        base=(_BASE_4_BIT if plan.four_bit else _BASE).format(base_ref=base_ref, skip=skip),
        question=collator.question,
        max_new_tokens=min(MAX_CAPTION_TOKENS, collator.max_answer_length(plan.captions) + 8),
        pad_id=collator.pad_id(),
        end_id=collator.end_id(),
    )
    return "caption.py", program


def serving_notes(plan: Plan, base_ref: str) -> str:
    """How vLLM serves the adapter with the same frames, as Markdown; "" where it has no words for them."""
    processor = own_processor(plan.base.folder, plan.recipe.data)
    settings = processor.rules.serving_settings(processor.video)
    if not settings:
        return ""
    lines = [
        f"vllm serve {base_ref} --enable-lora --max-lora-rank {plan.recipe.qlora.r}",
        f"    --lora-modules {plan.recipe.output_name}=PATH_OF_THIS_FOLDER",
        "    --limit-mm-per-prompt '{\"video\": 1}'",
        '    --media-io-kwargs \'{"video": {"num_frames": -1}}\'',
        f"    --mm-processor-kwargs '{json.dumps(settings | {'do_sample_frames': True})}'",
    ]
    if "enable_thinking" in processor.template:  # vLLM takes the template of the base, which would ask for a thought
        lines.append("    --default-chat-template-kwargs '{\"enable_thinking\": false}'")
    command = " \\\n".join(lines)
    return (
        f"With vLLM, which was not tried when this card was written:\n\n```sh\n{command}\n```\n\n"
        f"It loads the processor of the base, so it is given the settings of this run: {settings['fps']:g} frames a "
        f"second, {settings['min_frames']} to {settings['max_frames']} of a clip.\n"
    )
