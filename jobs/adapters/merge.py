"""Merges an adapter into its base: one bf16 model that transformers loads alone, with its processor and card."""

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from jobs.families.multi_label import problem_type_of
from jobs.families.protocol import Plan
from jobs.families.registry import read_base, resolve
from orchestrator.domain import formatting
from orchestrator.domain.errors import Invalid
from orchestrator.domain.recipes import Recipe
from orchestrator.services.adapters.files import partial_folder

_ADAPTER_ONLY = frozenset(
    {"adapter_config.json", "adapter_model.safetensors", "README.md", "recipe.yaml", "result.json", "contract.json"}
)
"""Files of the adapter's folder that do not describe the merged model; likewise of the base's folder."""
_PROCESSOR_FILES = ("*.json", "*.txt", "*.jinja", "*.model")
_BASE_ONLY = frozenset({"config.json", "pretraining.json", "model.safetensors.index.json"})
_RESERVED_BYTES = 512 * 2**20
STEPS = 3


def merge(
    adapter: Path, base: Path, recipe: Recipe, task: str, target: Path, on_progress: Callable[[str, int], bool]
) -> Path:
    """Writes the merged model to `target`, which appears complete or not at all.

    The NF4 weights of a 4-bit base are dequantized, so that the merged model gives the metrics that the adapter was
    measured with, except for the rounding to bf16. PEFT's own merge would quantize again.

    Args:
        adapter: the folder that the run wrote.
        on_progress: (stage, its number) -> whether to continue.

    Raises:
        Invalid: a sentence.
    """
    import torch
    from peft import PeftModel

    base_model = read_base(base)
    family = resolve(base_model)
    problem_type = problem_type_of(_json(adapter / "config.json", {}))
    plan = Plan(base_model, recipe, task, _labels(adapter), (), "cpu", problem_type=problem_type)
    report = _unless_cancelled(on_progress)
    report("loading", 0)
    model = family.load(plan)
    _check_disk_space(target, sum(parameter.numel() for parameter in model.parameters()))
    dequantize(model)
    report("merging", 1)
    merged = PeftModel.from_pretrained(model, str(adapter)).merge_and_unload(safe_merge=True).to(torch.bfloat16)
    report("writing", 2)
    part = partial_folder(target)
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    try:
        merged.config.use_cache = True
        merged.save_pretrained(part, safe_serialization=True)
        _copy_processor(adapter, base, part)
        (part / "README.md").write_text(merged_card(adapter, family, replace(plan, recipe=_unquantized(recipe))))
        if target.exists():
            shutil.rmtree(target)
        os.replace(part, target)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return target


def dequantize(model: Any) -> int:
    """Replaces the 4-bit layers by ordinary ones with the same values; returns how many there were."""
    import torch
    from bitsandbytes.functional import dequantize_4bit
    from bitsandbytes.nn import Linear4bit

    quantized = [(name, layer) for name, layer in model.named_modules() if isinstance(layer, Linear4bit)]
    for name, layer in quantized:
        weight: Any = layer.weight
        values = dequantize_4bit(weight.data, weight.quant_state).to(torch.float32)
        linear = torch.nn.Linear(layer.in_features, layer.out_features, bias=layer.bias is not None)
        linear.weight = torch.nn.Parameter(values, requires_grad=False)
        if layer.bias is not None:
            linear.bias = torch.nn.Parameter(layer.bias.data.to(torch.float32), requires_grad=False)
        parent, _, last = name.rpartition(".")
        setattr(model.get_submodule(parent), last, linear)
    _remove_quantization_config(model)
    return len(quantized)


def _remove_quantization_config(model: Any) -> None:
    """Otherwise transformers would save the model as a 4-bit one."""
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
    """The adapter's card, for the merged model: the same metrics, another program."""
    try:
        card = (adapter / "README.md").read_text()
    except OSError:
        card = ""
    card = card.partition("## How to use it")[0]
    card = card.replace("library_name: peft\n", "library_name: transformers\nbase_model_relation: merge\n", 1)
    card = card.replace("A LoRA adapter for ", "LoRA weights merged in bfloat16 into ", 1)
    name, program = program_without_adapter(family, plan)
    return f"{card}## How to use it\n\nSave this as `{name}` in this folder.\n\n```python\n{program}```\n"


def program_without_adapter(family: Any, plan: Plan) -> tuple[str, str]:
    """The family's program for a merged model, which needs transformers and av only."""
    name, program = family.program(plan, "here")
    program = program.replace("from peft import PeftModel\n", "").replace(".get_base_model()", "")
    return name, program.replace("PeftModel.from_pretrained(base, here)", "base")


def _unquantized(recipe: Recipe) -> Recipe:
    return recipe.model_copy(update={"qlora": recipe.qlora.model_copy(update={"bits": 16})})


def _labels(adapter: Path) -> tuple[str, ...]:
    return tuple(map(str, _json(adapter / "labels.json", [])))


def _json(path: Path, default: Any) -> Any:
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError):
        return default


def _copy_processor(adapter: Path, base: Path, part: Path) -> None:
    """Copies processor, tokenizer and templates: first the adapter's, whose tokenizer may have new words."""
    for folder, excluded in ((adapter, _ADAPTER_ONLY | {"config.json", "predictions.json"}), (base, _BASE_ONLY)):
        for path in sorted(path for pattern in _PROCESSOR_FILES for path in folder.glob(pattern)):
            if path.is_file() and path.name not in excluded and not (part / path.name).exists():
                shutil.copyfile(path, part / path.name)


def _check_disk_space(target: Path, parameters: int) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    need, free = 2 * parameters + _RESERVED_BYTES, shutil.disk_usage(target.parent).free
    if free < need:
        raise Invalid(
            f"Merging needs {formatting.size(need)} of disk and {formatting.size(free)} are free. Free some space."
        )


def _unless_cancelled(on_progress: Callable[[str, int], bool]) -> Callable[[str, int], None]:
    def report(stage: str, step: int) -> None:
        if not on_progress(stage, step):
            raise Invalid("Merging was cancelled.")

    return report
