"""Turns the template's items into what its model's `forward` takes."""

from collections.abc import Sequence
from typing import Any

import torch

from jobs.families.pixels import ClipNormalizer
from jobs.families.protocol import Item


class FrameCollator(ClipNormalizer):
    """Items to `pixel_values` (B, T, 3, H, W), normalised as the checkpoint's processor says, and `labels` (B,).

    `shown` varies the clips that are learned from. Whatever else is drawn by chance must come from `dice_of(items)`:
    a resumed run then draws the same.
    """

    def __call__(self, items: Sequence[Item]) -> dict[str, Any]:
        labels = torch.tensor([item["label"] for item in items], dtype=torch.long)
        return {"pixel_values": self.normalize_and_augment(items), "labels": labels}
