"""Begins a run with the weights of an earlier adapter of the same base; a classifier's outputs are matched by name."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, get_peft_model, set_peft_model_state_dict
from safetensors.torch import load_file

from jobs.families.protocol import Family, Plan
from orchestrator.domain.continuing import LABELS_FILE
from orchestrator.domain.errors import Invalid
from orchestrator.domain.tasks import TASKS

_PREFIX = "base_model.model."


def continue_adapter(family: Family, plan: Plan, model: Any, folder: Path) -> Any:
    """The base with the adapter's matrices and heads, all of them trainable. Its ranks and layers are kept.

    Raises:
        Invalid: the adapter's files are damaged, or do not fit this base.
    """
    try:
        config: Any = LoraConfig.from_pretrained(str(folder))
        weights = load_file(folder / "adapter_model.safetensors")
    except Exception as error:  # safetensors and PEFT have errors of their own for files that they cannot read
        raise Invalid(f"The files of the adapter to continue from cannot be read: {error}", "adapter") from error
    config.inference_mode = False
    config.lora_dropout = plan.recipe.qlora.dropout
    config.modules_to_save = list(family.head) or None
    adapted: Any = get_peft_model(model, config)
    if TASKS[plan.task].has_classes:
        _match_classes(family, adapted, weights, class_names_of(folder), plan.class_names)
    try:
        loaded = set_peft_model_state_dict(adapted, weights)
    except RuntimeError as error:
        raise Invalid(f"The adapter to continue from does not fit this base: {error}", "adapter") from error
    if missing := [name for name in loaded.missing_keys if ".lora_" in name]:
        text = f"The adapter to continue from lacks {len(missing)} weights, such as {missing[0]}."
        raise Invalid(text, "adapter")
    return adapted


def class_names_of(folder: Path) -> list[str] | None:
    """The classes of an adapter in the order of its outputs; None where it has none, such as in a checkpoint."""
    file = folder / LABELS_FILE
    return list(json.loads(file.read_text())) if file.is_file() else None


def _match_classes(
    family: Family,
    adapted: Any,
    weights: dict[str, torch.Tensor],
    before: Sequence[str] | None,
    now: Sequence[str],
) -> None:
    """Brings the rows of the classifier into the order of this run's classes; those of new classes stay as they are."""
    if before is None or list(before) == list(now):
        return
    for head in family.head:
        fresh = adapted.get_submodule(f"{_PREFIX}{head}").modules_to_save["default"]
        if not isinstance(fresh, torch.nn.Linear):
            continue  # a pooler: it knows no classes
        for part, parameter in fresh.named_parameters():
            name = f"{_PREFIX}{head}.{part}"
            if name not in weights or weights[name].shape[0] != len(before):
                continue
            rows = parameter.detach().cpu().clone()
            for index, label in enumerate(now):
                if label in before:
                    rows[index] = weights[name][before.index(label)].to(rows.dtype)
            weights[name] = rows
