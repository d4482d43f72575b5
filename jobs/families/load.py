"""Loads a base from a folder of safetensors, in 4 bits where asked: a classifier with a fresh head, or two towers."""

from collections.abc import Sequence
from typing import Any

import torch
import transformers

from jobs.families.dual_encoder import Towers, add_towers
from jobs.families.protocol import Plan
from jobs.families.quantize import keep_trainable_on_cpu, nf4_config
from jobs.families.weights import read_weights


def load_classifier(plan: Plan, model_class: str, head: Sequence[str]) -> Any:
    """The encoder, in NF4 when the plan says so but for `head`, and a new classifier for the plan's classes.

    Raises:
        Invalid: the files do not fit the config.
    """
    more: dict[str, Any] = {"dtype": torch.float32}
    if plan.four_bit:
        more |= {"quantization_config": nf4_config(head, plan.device), "device_map": {"": plan.device}}
    names = list(plan.class_names)
    model = read_weights(
        getattr(transformers, model_class),
        plan.base,
        num_labels=len(names),
        id2label=dict(enumerate(names)),
        label2id={name: index for index, name in enumerate(names)},
        ignore_mismatched_sizes=True,
        **more,
    )
    keep_trainable_on_cpu(model)
    if plan.inference_only and plan.adapter is None:
        return model if plan.four_bit else model.to(plan.device)  # asked for its own classes: its head stays
    # A head that came with the base knows other classes; start it small so that the first loss is near log(classes).
    torch.nn.init.normal_(model.classifier.weight, std=0.02)
    torch.nn.init.zeros_(model.classifier.bias)
    return model if plan.four_bit else model.to(plan.device)


def load_towers(plan: Plan, model_class: str, towers: type[Towers], head: Sequence[str]) -> Any:
    """A retriever with the heads it came with, in NF4 when the plan says so but for `head`.

    Raises:
        Invalid: the files do not fit the config.
    """
    more: dict[str, Any] = {"dtype": torch.float32}
    if plan.four_bit:
        more |= {"quantization_config": nf4_config(head, plan.device), "device_map": {"": plan.device}}
    model = read_weights(add_towers(getattr(transformers, model_class), towers), plan.base, **more)
    keep_trainable_on_cpu(model)
    return model if plan.four_bit else model.to(plan.device)
