"""Makes batches from decoded frames: rescaled and normalized as the checkpoint's processor does, and augmented."""

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
from orchestrator.domain.recipes import Recipe

_IMAGENET_MEAN, _IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class ClipNormalizer:
    """uint8 frames to the pixel values that the checkpoint's own processor would return."""

    def __init__(self, base: Base, recipe: Recipe | None = None) -> None:
        """`recipe`: of a training run, for `normalize_and_augment`."""
        self._augments = recipe is None or recipe.augment.basic
        self._views = recipe.eval.views if recipe is not None else 1
        settings = base.processor
        scale = float(settings.get("rescale_factor", 1 / 255)) if settings.get("do_rescale", True) else 1.0
        mean, std = settings.get("image_mean", _IMAGENET_MEAN), settings.get("image_std", _IMAGENET_STD)
        if not settings.get("do_normalize", True):
            mean, std = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
        deviation = torch.tensor(std, dtype=torch.float32)
        self._factor = (scale / deviation).view(3, 1, 1)
        # ViViT's processor subtracts one from the rescaled pixels before it normalizes.
        offset = 1.0 if settings.get("offset") else 0.0
        self._shift = (-(torch.tensor(mean, dtype=torch.float32) + offset) / deviation).view(3, 1, 1)

    def normalize(self, items: Sequence[Item]) -> torch.Tensor:
        """(B, T, 3, H, W) float32, normalized."""
        stacked = torch.from_numpy(np.stack([item["frames"] for item in items]))
        return stacked.permute(0, 1, 4, 2, 3).float().mul_(self._factor).add_(self._shift).contiguous()

    def normalize_and_augment(self, items: Sequence[Item]) -> torch.Tensor:
        """The same, and augmented where all of the items belong to the training split.

        Clips that are judged by several views have a dimension more: (B, views, T, 3, H, W).
        """
        pixels = self.normalize(items)
        if all(item["training"] for item in items):
            return augment(pixels, generator_for(items)) if self._augments else pixels
        return pixels.unflatten(1, (self._views, -1)) if self._views > 1 else pixels


def generator_for(items: Sequence[Item]) -> torch.Generator:
    """A random generator whose seed depends on nothing but the clips of the batch and the epoch.

    The global generator would not do: the data loader reads a batch ahead, so the state saved in a checkpoint has
    already advanced past a batch that a resumed run draws again.
    """
    digest = hashlib.blake2b(repr([item["seed"] for item in items]).encode(), digest_size=7).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest, "big"))


def augment(pixels: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Translates, scales and recolours each clip (B, T, 3, H, W) at random, all frames of a clip alike.

    Translation by up to a tenth of the frame, scale and the brightness of each colour by up to 15 %: nothing that turns
    one motion into another. Mirroring would swap left and right, so it is left out.
    """
    count, frames = pixels.shape[:2]
    scale = 1 + (torch.rand(count, generator=generator) - 0.5) * 0.3
    translation = (torch.rand(count, 2, generator=generator) - 0.5) * 0.4
    theta = torch.zeros(count, 2, 3)
    theta[:, 0, 0] = theta[:, 1, 1] = scale
    theta[:, :, 2] = translation
    flat = pixels.flatten(1, 2)
    grid = functional.affine_grid(theta, list(flat.shape), align_corners=False)
    transformed = functional.grid_sample(flat, grid, padding_mode="border", align_corners=False)
    brightness = 1 + (torch.rand(count, 1, 3, 1, 1, generator=generator) - 0.5) * 0.3
    low = transformed.amin((1, 2, 3), keepdim=True).unsqueeze(1)
    return (transformed.unflatten(1, (frames, -1)) - low) * brightness + low


def sampling_for(base: Base, count: int, edge: int, fps: float | None) -> Sampling:
    """`count` frames, resized and cropped as the checkpoint's processor does; `edge` replaces sizes that it lacks."""
    settings = base.processor
    size = settings.get("size") or {"shortest_edge": edge}
    size = {"shortest_edge": size} if isinstance(size, int) else size
    crop, crop_size = (edge, edge), settings.get("crop_size")
    if settings.get("do_center_crop", True) and crop_size:
        is_square = isinstance(crop_size, int)
        crop = (crop_size, crop_size) if is_square else (int(crop_size["height"]), int(crop_size["width"]))
    sides = tuple(sorted((str(name), int(pixels)) for name, pixels in size.items() if pixels))
    return Sampling(count=count, size=sides, crop=crop, fps=fps, resample=int(settings.get("resample", 2)))


def missing_processor_warning(base: Base, settings: Mapping[str, Any] | None = None) -> list[str]:
    """A warning where no file of the base says how pixels are normalized, else nothing.

    Args:
        settings: the processor's settings, where they were not read from preprocessor_config.json.
    """
    if base.processor if settings is None else settings:
        return []
    return [
        "This base came without its preprocessor_config.json: pixels are scaled by ImageNet's mean and spread, which "
        "may not be how it was trained. Register a complete copy to be sure."
    ]


def save_processor_config(base: Base, folder: Path) -> None:
    """Writes the base's preprocessor_config.json to the folder of an adapter."""
    if base.processor:
        (folder / "preprocessor_config.json").write_text(json.dumps(base.processor, indent=2) + "\n")
