"""Loads a base from a folder of safetensors, in 4 bits where the plan says so: a classifier, or a dual encoder."""

from collections.abc import Sequence
from typing import Any

import torch
import transformers

from jobs.families.dual_encoder import Towers, add_towers
from jobs.families.protocol import Plan
from jobs.families.quantize import keep_trainable_on_cpu, quantization_options
from jobs.families.weights import read_weights


def load_classifier(plan: Plan, model_class: Any, head: Sequence[str]) -> Any:
    """A classifier with a new head for the plan's classes; without an adapter to apply, inference keeps the old head.

    Args:
        model_class: a class of transformers or a subclass of one.
        head: modules that are not quantized.

    Raises:
        Invalid: the files do not fit the config.
    """
    names = list(plan.class_names)
    model = read_weights(
        model_class,
        plan.base,
        num_labels=len(names),
        id2label=dict(enumerate(names)),
        label2id={name: index for index, name in enumerate(names)},
        problem_type=plan.problem_type.value,
        ignore_mismatched_sizes=True,
        dtype=torch.float32,
        **quantization_options(plan, head),
    )
    keep_trainable_on_cpu(model)
    if not (plan.inference_only and plan.adapter is None):
        # A head that came with the base knows other classes. Small weights make the first loss about log(classes).
        torch.nn.init.normal_(model.classifier.weight, std=0.02)
        torch.nn.init.zeros_(model.classifier.bias)
    return model if plan.four_bit else model.to(plan.device)


def load_towers(plan: Plan, model_class: str, towers: type[Towers], head: Sequence[str]) -> Any:
    """A dual encoder with the projection heads of its checkpoint.

    Args:
        model_class: the name of the class of transformers.
        towers: mixed into it.
        head: modules that are not quantized.

    Raises:
        Invalid: the files do not fit the config.
    """
    kind = add_towers(getattr(transformers, model_class), towers)
    model = read_weights(kind, plan.base, dtype=torch.float32, **quantization_options(plan, head))
    keep_trainable_on_cpu(model)
    return model if plan.four_bit else model.to(plan.device)
