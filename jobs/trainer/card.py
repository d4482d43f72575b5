"""Writes the card that travels with an adapter: what it is, how it was made, and a program that runs it."""

import json
from importlib.metadata import version
from typing import Any

import yaml

from jobs.families.protocol import Base, Family
from jobs.spec import TrainSpec
from orchestrator.domain.recipes import Recipe

_PACKAGES = ("torch", "transformers", "peft", "bitsandbytes", "accelerate")

_PROGRAM = """import sys
from pathlib import Path

import av
import torch
from peft import PeftModel
from transformers import AutoConfig, {auto_class}{extra_import}, {processor}

here = Path(__file__).resolve().parent
config = AutoConfig.from_pretrained({config})
base = {auto_class}.from_pretrained(
    {base}, config=config, ignore_mismatched_sizes=True, dtype=torch.float32{quantization}
)
model = PeftModel.from_pretrained(base, here).eval()
processor = {processor}.from_pretrained(here)

for path in sys.argv[1:]:
    with av.open(path) as clip:
        frames = [frame.to_ndarray(format="rgb24") for frame in clip.decode(video=0)]
    count = config.num_frames
    seen = [frames[int((i + 0.5) * len(frames) / count)] for i in range(count)]
    inputs = processor(seen, return_tensors="pt")
    with torch.no_grad():
        odds = model(**inputs).logits.softmax(-1)[0]
    best = int(odds.argmax())
    print(path, config.id2label[best], f"{{odds[best]:.3f}}", sep="\\t")
"""
_QUANTIZED = """,
    quantization_config=BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.float32, llm_int8_skip_modules=["{head}"],
    ),
"""


def adapter_card(
    spec: TrainSpec, recipe: Recipe, family: Family, base: Base, summary: dict[str, Any], bundled: bool
) -> str:
    """The README.md of an adapter."""
    accuracy = summary.get("eval_accuracy")
    head = {
        "base_model": spec.model_name,
        "library_name": "peft",
        "pipeline_tag": family.pipeline_tag,
        "datasets": [spec.dataset_name],
        "metrics": ["accuracy"],
        "tags": ["lora", "qlora" if recipe.qlora.bits == 4 else "full-precision-base", family.name],
    }
    reached = (
        f"**{accuracy:.1%}** of {summary['validation_clips']} held-out clips, loss {summary['eval_loss']:.4f}."
        if accuracy is not None and "eval_loss" in summary
        else f"The run was stopped at step {summary['final_step']}; the result was not judged on held-out clips."
        if summary.get("validation_clips")
        else "No clips were held out, so nothing can be said about new ones."
    )
    return "\n".join(
        [
            f"---\n{yaml.safe_dump(head, sort_keys=False)}---\n",
            f"# {recipe.output_name}\n",
            f"A LoRA adapter for {family.title} that tells {len(spec.class_names)} classes apart: "
            f"{', '.join(spec.class_names[:20])}.\n",
            f"## Reached\n\n{reached}\n",
            *_matrix(summary),
            f"## How it was made\n\n{_table(_facts(spec, recipe, summary))}\n",
            f"## How to use it\n\n{_usage(spec, recipe, family, bundled)}",
        ]
    )


def pretrained_card(spec: TrainSpec, recipe: Recipe, family: Family, summary: dict[str, Any]) -> str:
    """The README.md of a model whose pretraining went on."""
    head = {"base_model": spec.model_name, "library_name": "transformers", "datasets": [spec.dataset_name]}
    loss = f"Validation loss {summary['eval_loss']:.4f}." if "eval_loss" in summary else ""
    return (
        f"---\n{yaml.safe_dump(head, sort_keys=False)}---\n\n# {recipe.output_name}\n\n"
        f"{family.title}, trained on from {spec.model_name}, all weights. {loss}\n\n"
        f"## How it was made\n\n{_table(_facts(spec, recipe, summary))}\n\n"
        "Register this folder as a model to fine-tune it.\n"
    )


def _facts(spec: TrainSpec, recipe: Recipe, summary: dict[str, Any]) -> list[tuple[str, Any]]:
    lora, optim = recipe.qlora, recipe.optim
    facts: list[tuple[str, Any]] = [
        ("Base", f"{spec.model_name} (weights sha256 {spec.model_revision[:16] or 'not recorded'})"),
        ("Dataset", f"{spec.dataset_name}: {summary['train_clips']} clips learned, {summary['validation_clips']} held"),
        ("Steps", f"{summary['final_step']} ({optim.epochs} epochs asked)"),
        ("Batch", f"{optim.batch_size} x {optim.gradient_accumulation}"),
        ("Learning rate", f"{optim.learning_rate:g}, {optim.scheduler.value}, warm-up {optim.warmup_ratio:g}"),
        ("Seed", optim.seed),
        ("Trainable parameters", f"{summary['trainable_parameters']:,}"),
        ("Time", f"{summary['train_seconds']} s on {summary['device']}"),
        ("Versions", ", ".join(f"{name} {version(name)}" for name in _PACKAGES)),
    ]
    if lora.enabled:
        kind = "NF4, double quantization" if lora.bits == 4 else "not quantized"
        facts.insert(2, ("LoRA", f"r {lora.r}, alpha {lora.alpha}, dropout {lora.dropout:g}; base {kind}"))
    return facts


def _table(rows: list[tuple[str, Any]]) -> str:
    return "\n".join(["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows)])


def _matrix(summary: dict[str, Any]) -> list[str]:
    names, matrix = summary.get("class_names") or [], summary.get("confusion_matrix") or []
    if not matrix or len(names) > 20:
        return []
    head = [f"| true \\ predicted | {' | '.join(names)} |", "|---" * (len(names) + 1) + "|"]
    rows = [f"| {name} | {' | '.join(map(str, row))} |" for name, row in zip(names, matrix, strict=True)]
    return ["\n".join([*head, *rows]) + "\n"]


def _usage(spec: TrainSpec, recipe: Recipe, family: Family, bundled: bool) -> str:
    four_bit = recipe.qlora.bits == 4
    program = _PROGRAM.format(
        auto_class=family.auto_class,
        extra_import=", BitsAndBytesConfig" if four_bit else "",
        processor="AutoImageProcessor",
        config="here",
        base='here / "base"' if bundled else json.dumps(spec.model_name),
        quantization=_QUANTIZED.format(head=family.head[0]).rstrip("\n") if four_bit else "",
    )
    where = (
        "The base lies in `base/` beside this file." if bundled else "Put the folder of the base model in its place."
    )
    how = "The base is loaded in 4 bits, as it was trained. " if four_bit else ""
    return (
        f"`pip install {' '.join(f'{p}=={version(p)}' for p in (*_PACKAGES, 'av', 'pillow'))}`, save this as "
        f"`classify.py` in this folder and run `python classify.py CLIP.mp4`. {how}{where}\n\n"
        f"```python\n{program}```\n"
    )
