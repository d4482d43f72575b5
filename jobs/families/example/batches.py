"""Turns the template's items into the arguments of its model's `forward`."""

from collections.abc import Sequence
from typing import Any

import torch

from jobs.families.pixels import ClipNormalizer
from jobs.families.protocol import Item


class FrameCollator(ClipNormalizer):
    """Items to `pixel_values` (B, T, 3, H, W), normalized as the checkpoint's processor does, and `labels` (B,).

    `normalize_and_augment` varies the clips of the training split. Everything else that is random must come from
    `generator_for(items)`, so that a resumed run draws the same.
    """

    def __call__(self, items: Sequence[Item]) -> dict[str, Any]:
        labels = torch.tensor([item["label"] for item in items], dtype=torch.long)
        return {"pixel_values": self.normalize_and_augment(items), "labels": labels}
