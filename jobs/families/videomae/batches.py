"""Makes VideoMAE's batches from cached bytes: rescaled and normalised as the checkpoint's processor says."""

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from jobs.families.protocol import Base, Item

_IMAGENET_MEAN, _IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
MASKED = 0.75
"""Share of the places hidden from the encoder, the same through all frames (tube masking)."""


class ClassifyBatches:
    """Items to `pixel_values` (B, T, 3, H, W) float32 and `labels` (B,)."""

    def __init__(self, base: Base) -> None:
        how = base.processor
        scale = float(how.get("rescale_factor", 1 / 255)) if how.get("do_rescale", True) else 1.0
        mean, std = how.get("image_mean", _IMAGENET_MEAN), how.get("image_std", _IMAGENET_STD)
        if not how.get("do_normalize", True):
            mean, std = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
        spread = torch.tensor(std, dtype=torch.float32)
        self._factor = (scale / spread).view(3, 1, 1)
        self._shift = (-torch.tensor(mean, dtype=torch.float32) / spread).view(3, 1, 1)

    def pixels(self, items: Sequence[Item]) -> torch.Tensor:
        """(B, T, 3, H, W), normalised."""
        stacked = torch.from_numpy(np.stack([item["frames"] for item in items]))
        return stacked.permute(0, 1, 4, 2, 3).float().mul_(self._factor).add_(self._shift).contiguous()

    def __call__(self, items: Sequence[Item]) -> dict[str, Any]:
        labels = torch.tensor([item["label"] for item in items], dtype=torch.long)
        pixels = self.pixels(items)
        if all(item["learn"] for item in items):
            pixels = vary(pixels, dice_of(items))
        return {"pixel_values": pixels, "labels": labels}


def dice_of(items: Sequence[Item]) -> torch.Generator:
    """Chance that depends on nothing but which clips these are and in which epoch.

    The loader reads a batch ahead, so the global generator saved with a checkpoint has already paid for a batch that
    a resumed run draws again.
    """
    digest = hashlib.blake2b(repr([item["draw"] for item in items]).encode(), digest_size=7).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest, "big"))


def vary(pixels: torch.Tensor, dice: torch.Generator) -> torch.Tensor:
    """Shows each clip from a slightly other place in slightly other light, all its frames alike.

    Moved by up to a tenth, scaled by up to 15 %, brighter or darker by up to 15 % a colour: nothing that would turn one
    motion into another. Mirroring would (left, right), so it is left out.
    """
    count, frames = pixels.shape[:2]
    scale = 1 + (torch.rand(count, generator=dice) - 0.5) * 0.3
    move = (torch.rand(count, 2, generator=dice) - 0.5) * 0.4
    theta = torch.zeros(count, 2, 3)
    theta[:, 0, 0] = theta[:, 1, 1] = scale
    theta[:, :, 2] = move
    flat = pixels.flatten(1, 2)
    grid = functional.affine_grid(theta, list(flat.shape), align_corners=False)
    moved = functional.grid_sample(flat, grid, padding_mode="border", align_corners=False)
    light = 1 + (torch.rand(count, 1, 3, 1, 1, generator=dice) - 0.5) * 0.3
    low = moved.amin((1, 2, 3), keepdim=True).unsqueeze(1)
    return (moved.unflatten(1, (frames, -1)) - low) * light + low


class MaskedBatches(ClassifyBatches):
    """Items to `pixel_values` and `bool_masked_pos` (B, patches): the model draws what it cannot see."""

    def __init__(self, base: Base) -> None:
        super().__init__(base)
        config = base.config
        self._places = (int(config.get("image_size", 224)) // int(config.get("patch_size", 16))) ** 2
        self._slots = int(config.get("num_frames", 16)) // int(config.get("tubelet_size", 2))

    def __call__(self, items: Sequence[Item]) -> dict[str, Any]:
        hidden = round(self._places * MASKED)
        order = torch.rand(len(items), self._places, generator=dice_of(items)).argsort(1)
        mask = torch.zeros(len(items), self._places, dtype=torch.bool).scatter_(1, order[:, :hidden], True)
        return {"pixel_values": self.pixels(items), "bool_masked_pos": mask.repeat(1, self._slots)}
