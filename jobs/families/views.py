"""Scores of a classifier averaged over several views of each clip: samples of its frames at different places."""

from typing import Any

import torch
from torch.nn import functional

_LEAST = 1e-9
"""Of a probability, so that its logarithm is finite."""


def average_views(model: Any, inputs: dict[str, Any], multi_label: bool) -> tuple[torch.Tensor, torch.Tensor]:
    """The loss of the averaged scores, and logits that stand for them.

    Probabilities are averaged, not logits, as by `average_clips="prob"` of mmaction2. The views go through the model
    one after the other, so that they take no more memory than one.

    Args:
        inputs: pixels (B, views, T, 3, H, W), `labels`, and what else `forward` takes.

    Returns:
        The loss, and (B, classes) logits whose softmax, or sigmoid with several labels, is the averaged score.
    """
    labels = inputs["labels"]
    name = next(key for key, value in inputs.items() if torch.is_tensor(value) and value.ndim == 6)
    others = {key: value for key, value in inputs.items() if key not in (name, "labels")}
    logits_of_views = [model(**others, **{name: view}).logits for view in inputs[name].unbind(1)]
    scores = torch.stack([_scores(logits, multi_label) for logits in logits_of_views])
    mean = scores.mean(0).clamp(_LEAST, 1 - _LEAST if multi_label else 1.0)
    if multi_label:
        logits = torch.logit(mean)
        return functional.binary_cross_entropy_with_logits(logits, labels.to(logits.dtype)), logits
    return functional.nll_loss(mean.log(), labels), mean.log()


def _scores(logits: torch.Tensor, multi_label: bool) -> torch.Tensor:
    """(B, classes) logits to scores from 0 to 1."""
    return logits.double().sigmoid() if multi_label else logits.double().softmax(-1)
