"""Writes a base and its adapter as one whole bf16 model that transformers loads alone: weights, processor, card."""

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from jobs.families.protocol import Plan
from jobs.families.registry import read_base, resolve
from orchestrator.domain.errors import Invalid
from orchestrator.domain.recipes import Recipe
from orchestrator.services.adapters.files import partial_folder

_OWN = frozenset({"adapter_config.json", "adapter_model.safetensors", "README.md", "recipe.yaml", "result.json"})
"""Of the adapter's files, those that say something of the adapter and not of the model."""
_BESIDE = ("*.json", "*.txt", "*.jinja", "*.model")
_BASE_ONLY = frozenset({"config.json", "pretraining.json", "model.safetensors.index.json"})
_SPARE_BYTES = 512 * 2**20
STEPS = 3


def merge(
    adapter: Path, base: Path, recipe: Recipe, task: str, target: Path, on_progress: Callable[[str, int], bool]
) -> Path:
    """Writes `target` whole or not at all.

    A 4-bit base is taken as the adapter knew it: its NF4 weights are dequantized, so that the merged model gives the
    figures that were measured, but for bf16's rounding. PEFT's own merge would quantize again.

    Args:
        adapter: the folder that the run left.
        tell: hears of each stage and its number; answers whether to go on.

    Raises:
        Invalid: a sentence.
    """
    import torch
    from peft import PeftModel

    found = read_base(base)
    family = resolve(found)
    plan = Plan(found, recipe, task, _labels(adapter), (), "cpu")
    go_on = _must(on_progress)
    go_on("loading", 0)
    model = family.load(plan)
    _check_disk_space(target, sum(parameter.numel() for parameter in model.parameters()))
    dequantize(model)
    go_on("merging", 1)
    merged = PeftModel.from_pretrained(model, str(adapter)).merge_and_unload(safe_merge=True).to(torch.bfloat16)
    go_on("writing", 2)
    part = partial_folder(target)
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    try:
        merged.config.use_cache = True
        merged.save_pretrained(part, safe_serialization=True)
        _bring(adapter, base, part)
        (part / "README.md").write_text(merged_card(adapter, family, replace(plan, recipe=_plain(recipe))))
        if target.exists():
            shutil.rmtree(target)
        os.replace(part, target)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return target


def dequantize(model: Any) -> int:
    """Puts plain layers with the values of the 4-bit ones in their places; how many there were."""
    import torch
    from bitsandbytes.functional import dequantize_4bit
    from bitsandbytes.nn import Linear4bit

    found = [(name, layer) for name, layer in model.named_modules() if isinstance(layer, Linear4bit)]
    for name, layer in found:
        weight: Any = layer.weight
        values = dequantize_4bit(weight.data, weight.quant_state).to(torch.float32)
        plain = torch.nn.Linear(layer.in_features, layer.out_features, bias=layer.bias is not None)
        plain.weight = torch.nn.Parameter(values, requires_grad=False)
        if layer.bias is not None:
            plain.bias = torch.nn.Parameter(layer.bias.data.to(torch.float32), requires_grad=False)
        parent, _, last = name.rpartition(".")
        setattr(model.get_submodule(parent), last, plain)
    _forget_quantization(model)
    return len(found)


def _forget_quantization(model: Any) -> None:
    """Or transformers would write the file as a 4-bit one."""
    for name in ("quantization_config", "_pre_quantization_dtype"):
        if hasattr(model.config, name):
            delattr(model.config, name)
    for name in ("hf_quantizer", "quantization_method"):
        if hasattr(model, name):
            setattr(model, name, None)
    for name in ("is_quantized", "is_loaded_in_4bit"):
        if hasattr(model, name):
            setattr(model, name, False)


def merged_card(adapter: Path, family: Any, plan: Plan) -> str:
    """The adapter's card for the whole model: the same figures, another program."""
    try:
        told = (adapter / "README.md").read_text()
    except OSError:
        told = ""
    told = told.partition("## How to use it")[0]
    told = told.replace("library_name: peft\n", "library_name: transformers\nbase_model_relation: merge\n", 1)
    told = told.replace("A LoRA adapter for ", "LoRA weights merged in bfloat16 into ", 1)
    name, program = plain_program(family, plan)
    return f"{told}## How to use it\n\nSave this as `{name}` in this folder.\n\n```python\n{program}```\n"


def plain_program(family: Any, plan: Plan) -> tuple[str, str]:
    """The family's program without the adapter: transformers and av are enough."""
    name, program = family.program(plan, "here")
    program = program.replace("from peft import PeftModel\n", "").replace(".get_base_model()", "")
    return name, program.replace("PeftModel.from_pretrained(base, here)", "base")


def _plain(recipe: Recipe) -> Recipe:
    return recipe.model_copy(update={"qlora": recipe.qlora.model_copy(update={"bits": 16})})


def _labels(adapter: Path) -> tuple[str, ...]:
    try:
        return tuple(map(str, json.loads((adapter / "labels.json").read_text())))
    except (OSError, ValueError):
        return ()


def _bring(adapter: Path, base: Path, part: Path) -> None:
    """Processor, tokenizer and templates: the adapter's own first, since it may have learned new words."""
    for folder, left_out in ((adapter, _OWN | {"config.json", "predictions.json"}), (base, _BASE_ONLY)):
        for path in sorted(found for pattern in _BESIDE for found in folder.glob(pattern)):
            if path.is_file() and path.name not in left_out and not (part / path.name).exists():
                shutil.copyfile(path, part / path.name)


def _check_disk_space(target: Path, parameters: int) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    need, free = 2 * parameters + _SPARE_BYTES, shutil.disk_usage(target.parent).free
    if free < need:
        raise Invalid(f"Merging needs {need / 1e9:,.1f} GB of disk and {free / 1e9:,.1f} GB are free. Free some space.")


def _must(on_progress: Callable[[str, int], bool]) -> Callable[[str, int], None]:
    def go_on(stage: str, step: int) -> None:
        if not on_progress(stage, step):
            raise Invalid("Merging was called off.")

    return go_on
