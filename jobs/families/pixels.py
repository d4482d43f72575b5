"""Makes batches of clips from cached bytes: rescaled and normalised as the checkpoint's processor says."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from jobs.families.protocol import Base, Item
from jobs.video.cache import Sampling

_IMAGENET_MEAN, _IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class ClipNormalizer:
    """Bytes to what the checkpoint's processor would hand over."""

    def __init__(self, base: Base) -> None:
        how = base.processor
        scale = float(how.get("rescale_factor", 1 / 255)) if how.get("do_rescale", True) else 1.0
        mean, std = how.get("image_mean", _IMAGENET_MEAN), how.get("image_std", _IMAGENET_STD)
        if not how.get("do_normalize", True):
            mean, std = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
        spread = torch.tensor(std, dtype=torch.float32)
        self._factor = (scale / spread).view(3, 1, 1)
        # ViViT's processor takes one from the rescaled pixels before it normalises.
        zero = 1.0 if how.get("offset") else 0.0
        self._shift = (-(torch.tensor(mean, dtype=torch.float32) + zero) / spread).view(3, 1, 1)

    def normalize(self, items: Sequence[Item]) -> torch.Tensor:
        """(B, T, 3, H, W) float32, normalised."""
        stacked = torch.from_numpy(np.stack([item["frames"] for item in items]))
        return stacked.permute(0, 1, 4, 2, 3).float().mul_(self._factor).add_(self._shift).contiguous()

    def normalize_and_augment(self, items: Sequence[Item]) -> torch.Tensor:
        """The same, each clip varied where all of them are there to be learned from."""
        pixels = self.normalize(items)
        return augment(pixels, generator_for(items)) if all(item["learn"] for item in items) else pixels


class ClassificationCollator(ClipNormalizer):
    """Items to the clips, under the name that the model's `forward` has for them, and `labels` (B,)."""

    def __init__(self, base: Base, name: str = "pixel_values") -> None:
        super().__init__(base)
        self._name = name

    def __call__(self, items: Sequence[Item]) -> dict[str, Any]:
        labels = torch.tensor([item["label"] for item in items], dtype=torch.long)
        return {self._name: self.normalize_and_augment(items), "labels": labels}


def generator_for(items: Sequence[Item]) -> torch.Generator:
    """Chance that depends on nothing but which clips these are and in which epoch.

    The loader reads a batch ahead, so the global generator saved with a checkpoint has already paid for a batch that
    a resumed run draws again.
    """
    digest = hashlib.blake2b(repr([item["draw"] for item in items]).encode(), digest_size=7).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest, "big"))


def augment(pixels: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Shows each clip from a slightly other place in slightly other light, all its frames alike.

    Moved by up to a tenth, scaled by up to 15 %, brighter or darker by up to 15 % a colour: nothing that would turn one
    motion into another. Mirroring would (left, right), so it is left out.
    """
    count, frames = pixels.shape[:2]
    scale = 1 + (torch.rand(count, generator=generator) - 0.5) * 0.3
    move = (torch.rand(count, 2, generator=generator) - 0.5) * 0.4
    theta = torch.zeros(count, 2, 3)
    theta[:, 0, 0] = theta[:, 1, 1] = scale
    theta[:, :, 2] = move
    flat = pixels.flatten(1, 2)
    grid = functional.affine_grid(theta, list(flat.shape), align_corners=False)
    moved = functional.grid_sample(flat, grid, padding_mode="border", align_corners=False)
    light = 1 + (torch.rand(count, 1, 3, 1, 1, generator=generator) - 0.5) * 0.3
    low = moved.amin((1, 2, 3), keepdim=True).unsqueeze(1)
    return (moved.unflatten(1, (frames, -1)) - low) * light + low


def sampling_for(base: Base, count: int, edge: int, fps: float | None) -> Sampling:
    """`count` frames, resized and cut as the checkpoint's processor says, to `edge` x `edge` where it says nothing."""
    how = base.processor
    size = how.get("size") or {"shortest_edge": edge}
    size = {"shortest_edge": size} if isinstance(size, int) else size
    crop, asked = (edge, edge), how.get("crop_size")
    if how.get("do_center_crop", True) and asked:
        crop = (asked, asked) if isinstance(asked, int) else (int(asked["height"]), int(asked["width"]))
    sides = tuple(sorted((str(name), int(pixels)) for name, pixels in size.items() if pixels))
    return Sampling(count=count, size=sides, crop=crop, fps=fps, resample=int(how.get("resample", 2)))


def missing_processor_warning(base: Base, how: Mapping[str, Any] | None = None) -> list[str]:
    """A remark where nothing beside the weights says how pixels are prepared; `how`: what was found, if elsewhere."""
    if base.processor if how is None else how:
        return []
    return [
        "This base came without its preprocessor_config.json: pixels are scaled by ImageNet's mean and spread, which "
        "may not be how it was trained. Register a whole copy to be sure."
    ]


def save_processor_config(base: Base, folder: Path) -> None:
    """Lays the base's preprocessor beside an adapter."""
    if base.processor:
        (folder / "preprocessor_config.json").write_text(json.dumps(base.processor, indent=2) + "\n")
