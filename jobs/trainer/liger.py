"""Applies Liger's fused kernels to a model, and checks that its loss stays the same."""

import functools
import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from transformers.modeling_outputs import CausalLMOutputWithPast

from jobs.families.precision import training_precision
from jobs.families.protocol import Collate, Item, Plan
from jobs.trainer.distributed import preserve_rng
from orchestrator.domain.errors import Invalid

_CLOSE = 0.02
"""Share by which the loss may differ: the kernels round differently in bf16."""
_FIELD = "optim.liger"
_NAMED = {
    "qwen2_vl": "Qwen2VLCausalLMOutputWithPast",
    "qwen2_5_vl": "Qwen2_5_VLCausalLMOutputWithPast",
    "qwen3_vl": "Qwen3VLCausalLMOutputWithPast",
}
"""Output classes that liger-kernel 0.8 imports by names that transformers no longer has."""


@dataclass
class _Output(CausalLMOutputWithPast):
    rope_deltas: Any = None


def apply_and_check(
    plan: Plan, model: Any, collate: Collate, items: list[Item], apply: Callable[[Any], None] | None = None
) -> None:
    """Patches the model in place.

    Args:
        items: some clips; their loss is compared before and after.

    Raises:
        Invalid: the kernels do not support this model, or change its loss.
    """
    batch = collate(items)
    before = _loss(plan, model, batch)
    try:
        (apply or _apply)(model)
        _drop_logits_arguments(model)
        after = _loss(plan, model, batch)
    except Exception as error:  # a library that patches another may raise anything, and the run must not begin
        text = f"Liger's kernels do not work with this base here ({type(error).__name__}: {str(error)[:120]})."
        raise Invalid(f"{text} Switch them off.", _FIELD) from error
    if not abs(after - before) <= _CLOSE * max(abs(before), 1e-6):
        text = f"With Liger's kernels this base's loss is {after:.4f} instead of {before:.4f}. Switch them off."
        raise Invalid(text, _FIELD)


def _apply(model: Any) -> None:
    from transformers.integrations.liger import apply_liger_kernel

    for kind, name in _NAMED.items():
        module = importlib.import_module(f"transformers.models.{kind}.modeling_{kind}")
        if not hasattr(module, name):
            setattr(module, name, _Output)
    apply_liger_kernel(model, None)


def _drop_logits_arguments(model: Any) -> None:
    """The fused loss stores no logits and shifts labels itself, so it does not get these arguments."""
    inner = model.get_base_model() if hasattr(model, "get_base_model") else model
    original = inner.forward

    @functools.wraps(original)
    def forward(*args: Any, logits_to_keep: Any = 0, shift_labels: Any = None, **more: Any) -> Any:
        return original(*args, **more)

    inner.forward = forward


def _loss(plan: Plan, model: Any, batch: dict[str, Any]) -> float:
    """The loss as a step computes it, with dropout from a fixed seed."""
    from accelerate.utils import send_to_device

    training = model.training
    model.train()
    try:
        with preserve_rng(), torch.no_grad(), training_precision(plan):
            torch.manual_seed(0)
            return float(model(**send_to_device(dict(batch), plan.device)).loss)
    finally:
        model.train(training)
