"""Varies training clips as a recipe asks for it, by torchvision's transforms; the same clip differently in each epoch.

Nothing is drawn from the state of the global generator: what a clip or batch gets follows from the epoch and its clips
alone, so that a resumed run sees the same. torchvision draws from the global generator, which is seeded for the call
and then put back.
"""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from jobs.families.protocol import Item
from orchestrator.domain.recipe_augment import JITTER_PARTS, Augmentation

Frames = NDArray[np.uint8]
_OPERATIONS, _MAGNITUDE = 2, 9
"""Of RandAugment, as its paper has them for ImageNet."""


class ClipAugmenter:
    """Chooses the frames of a clip and varies their pixels, all frames of a clip alike."""

    def __init__(self, settings: Augmentation, moves_together: bool) -> None:
        """`moves_together`: the frames of a sample are equally far from each other, which jitter must not change."""
        self._settings, self._together = settings, moves_together

    @property
    def is_active(self) -> bool:
        """Whether it changes anything."""
        return self._settings.jitter or self._settings.flip or self._settings.rand_augment

    def apply(self, frames: Frames, seed: Sequence[int]) -> Frames:
        """The varied frames.

        Args:
            frames: (T, H, W, 3); with temporal jitter, `JITTER_PARTS` views of the clip, one after the other.
            seed: as an item's.
        """
        settings = self._settings
        with seeded_generator(("clip", *seed)):
            if settings.jitter:
                count = len(frames) // JITTER_PARTS
                views = torch.randint(JITTER_PARTS, (1 if self._together else count,))
                frames = frames[(views * count + torch.arange(count)).numpy()]
            if not (settings.flip or settings.rand_augment):
                return frames
            from torchvision import tv_tensors
            from torchvision.transforms import v2

            clip: Any = tv_tensors.Video(torch.from_numpy(np.array(frames)).permute(0, 3, 1, 2))
            if settings.flip:
                clip = v2.RandomHorizontalFlip(0.5)(clip)
            if settings.rand_augment:
                clip = v2.RandAugment(_OPERATIONS, _MAGNITUDE)(clip)
            return np.ascontiguousarray(clip.permute(0, 2, 3, 1).numpy())


def mix_clips(
    pixels: torch.Tensor, targets: torch.Tensor, class_count: int, items: Sequence[Item], settings: Augmentation
) -> tuple[torch.Tensor, torch.Tensor]:
    """MixUp or CutMix of a training batch; where the recipe has both, one of them is drawn for the batch.

    Args:
        pixels: (B, T, 3, H, W).
        targets: (B,) class indices, or (B, classes) with 1 for each class of a clip.

    Returns:
        The pixels, and (B, classes) shares of the classes.
    """
    from torchvision import tv_tensors
    from torchvision.transforms import v2

    mixers = [v2.MixUp(alpha=settings.mixup, num_classes=class_count)] if settings.mixup else []
    mixers += [v2.CutMix(alpha=settings.cutmix, num_classes=class_count)] if settings.cutmix else []
    with seeded_generator(("batch", *(number for item in items for number in item["seed"]))):
        mixer = mixers[int(torch.randint(len(mixers), (1,)))]
        mixed, shares = mixer(tv_tensors.Video(pixels), targets)
    return mixed.as_subclass(torch.Tensor), shares


@contextmanager
def seeded_generator(seed: Sequence[str | int]) -> Iterator[None]:
    """Seeds the global generator of the processor, and puts its state back at the end."""
    digest = hashlib.blake2b(repr(tuple(seed)).encode(), digest_size=7).digest()
    state = torch.default_generator.get_state()
    try:
        torch.default_generator.manual_seed(int.from_bytes(digest, "big"))
        yield
    finally:
        torch.default_generator.set_state(state)
