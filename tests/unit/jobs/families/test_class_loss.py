"""The loss of a classifier by hand: weights, smoothing and focus; without them it is plain cross entropy."""

import math
from typing import Any

import pytest
import torch
from torch.nn import functional

from jobs.families.class_loss import class_loss, class_weights

LOGITS = torch.tensor([[math.log(3.0), 0.0], [0.0, 0.0]])
"""Probabilities 3/4 and 1/4, then 1/2 and 1/2."""
TARGETS = torch.tensor([0, 1])
PLAIN = [-math.log(0.75), -math.log(0.5)]


def test_plain_is_cross_entropy() -> None:
    assert float(class_loss(LOGITS, TARGETS)) == pytest.approx(float(functional.cross_entropy(LOGITS, TARGETS)))


def test_weights_are_those_of_balanced_classes() -> None:
    """9 clips to 1: 10 / (2 * 9) and 10 / (2 * 1); a class without clips is left out."""
    assert class_weights([9, 1, 0]).tolist() == pytest.approx([10 / 18, 5.0, 0.0])
    found = float(class_loss(LOGITS, TARGETS, torch.tensor([0.5, 2.0])))
    assert found == pytest.approx((0.5 * PLAIN[0] + 2 * PLAIN[1]) / 2)


def test_focus_and_smoothing() -> None:
    assert float(class_loss(LOGITS, TARGETS, gamma=2.0)) == pytest.approx((0.25**2 * PLAIN[0] + 0.5**2 * PLAIN[1]) / 2)
    first = 0.95 * PLAIN[0] - 0.05 * math.log(0.25)
    assert float(class_loss(LOGITS, TARGETS, smoothing=0.1)) == pytest.approx((first + PLAIN[1]) / 2)


def test_the_loss_of_a_mixed_clip_is_the_mean_over_its_classes() -> None:
    """As with a clip of each class, weighted by the share: also with weights, smoothing and focus."""
    weights = torch.tensor([0.5, 2.0])
    every: list[dict[str, Any]] = [{}, {"weights": weights}, {"smoothing": 0.1, "gamma": 2.0, "weights": weights}]
    for options in every:
        of_class = [float(class_loss(LOGITS, torch.tensor([c, c]), **options)) for c in (0, 1)]
        mixed = class_loss(LOGITS, torch.tensor([[0.3, 0.7], [0.3, 0.7]]), **options)
        assert float(mixed) == pytest.approx(0.3 * of_class[0] + 0.7 * of_class[1])
