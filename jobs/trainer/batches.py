"""Which clips make the batches of an epoch, where the Trainer's own choice would not do."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch.utils.data import DataLoader, Sampler

from jobs.families.protocol import Family
from jobs.trainer.distributed import world_size
from orchestrator.domain.recipes import Recipe, leaves_lone_clip

_EPOCHS = 100_003
"""More than any run has, so that no two seeds draw alike in different epochs."""


def epoch_generator(seed: int, epoch: int) -> torch.Generator:
    """A generator that follows from seed and epoch alone: that of an epoch is the same after a resume."""
    return torch.Generator().manual_seed(seed * _EPOCHS + epoch)


class BalancedSampler(Sampler[int]):
    """Draws the clips of an epoch with replacement, each class with the same probability.

    What is drawn follows from seed and epoch alone, so that a resumed run draws the same.
    """

    def __init__(self, labels: Sequence[str], seed: int) -> None:
        """`labels`: the class of each clip."""
        counts = Counter(labels)
        self._weights = torch.tensor([1.0 / counts[label] for label in labels], dtype=torch.float64)
        self._seed, self._epoch = seed, 0

    def set_epoch(self, epoch: int) -> None:
        """Called by accelerate's loader as an epoch begins."""
        self._epoch = epoch

    def __iter__(self) -> Iterator[int]:
        generator = epoch_generator(self._seed, self._epoch)
        yield from torch.multinomial(self._weights, len(self._weights), True, generator=generator).tolist()
        self.set_epoch(self._epoch + 1)

    def __len__(self) -> int:
        return len(self._weights)


class WithoutLoneClip:
    """The batches of another sampler, without a last batch of a single clip: it has nothing to be compared with.

    The clip is left out of this epoch; which one it is differs from epoch to epoch.
    """

    def __init__(self, batches: Any) -> None:
        self._batches = batches

    def __iter__(self) -> Iterator[Any]:
        return (batch for batch in self._batches if len(batch) > 1)

    def __len__(self) -> int:
        return len(self._batches) - 1

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batches, name)


def drops_lone_clip(family: Family, recipe: Recipe, clips: int) -> bool:
    """Whether the last batch of an epoch is left out, since it has one clip and the loss compares clips.

    Where several GPUs share the batches, accelerate fills up the last one.
    """
    return family.is_contrastive and world_size() == 1 and leaves_lone_clip(clips, recipe.optim.batch_size)


def leave_out_lone_clip(loader: Any) -> None:
    """Takes the last batch away from a loader for which `drops_lone_clip` is True."""
    inner: DataLoader[Any] = getattr(loader, "base_dataloader", loader)
    object.__setattr__(inner, "batch_sampler", WithoutLoneClip(inner.batch_sampler))
