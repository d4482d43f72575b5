"""Loads the template's model: transformers' class with another `forward`, in 4 bits where the recipe says so."""

from collections.abc import Sequence
from typing import Any

import torch
from torch.nn import functional
from transformers import ViTForImageClassification

from jobs.families.protocol import Plan
from jobs.families.quantize import keep_trainable_on_cpu, nf4_config
from jobs.families.weights import read_weights


class FrameByFrame(ViTForImageClassification):
    """Adds no weight, so any ViT loads into it."""

    def forward(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, pixel_values: torch.Tensor, labels: torch.Tensor | None = None, **_: Any
    ) -> dict[str, Any]:
        """Clips (B, T, 3, H, W) to `logits` (B, classes) and, with `labels`, the `loss` that the Trainer asks for."""
        count, frames = pixel_values.shape[:2]
        each = super().forward(pixel_values=pixel_values.flatten(0, 1)).logits
        assert each is not None
        logits = each.unflatten(0, (count, frames)).mean(1)
        told = {} if labels is None else {"loss": functional.cross_entropy(logits, labels)}
        return told | {"logits": logits}


FrameByFrame.__name__, FrameByFrame.__module__ = "ViTForImageClassification", ViTForImageClassification.__module__
# The config that travels with the weights names its class: it must be one that transformers has.


def load_frames(plan: Plan, head: Sequence[str]) -> Any:
    """The model with a fresh head for the plan's classes.

    Raises:
        Invalid: the files do not fit the config.
    """
    names = list(plan.class_names)
    more: dict[str, Any] = {"dtype": torch.float32}
    if plan.four_bit:
        # Heads stay out of quantization: what is trained whole must be whole.
        more |= {"quantization_config": nf4_config(head, plan.device), "device_map": {"": plan.device}}
    model = read_weights(
        FrameByFrame,
        plan.base,
        num_labels=len(names),
        id2label=dict(enumerate(names)),
        label2id={name: index for index, name in enumerate(names)},
        ignore_mismatched_sizes=True,
        **more,
    )
    # Without this an evaluation on a CPU with AVX512-BF16 silently cuts the gradient through the base.
    keep_trainable_on_cpu(model)
    if plan.inference_only and plan.adapter is None:
        return model if plan.four_bit else model.to(plan.device)  # it answers with the head it came with
    # Small, so that the first loss is near log(classes) whatever head the base came with.
    torch.nn.init.normal_(model.classifier.weight, std=0.02)
    torch.nn.init.zeros_(model.classifier.bias)
    return model if plan.four_bit else model.to(plan.device)
