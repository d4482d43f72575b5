"""Weights micro-batch losses by label count, so that gradient accumulation equals one large batch."""

from collections.abc import Sequence
from typing import Any

import torch
import torch.distributed as dist

from jobs.trainer.distributed import local_device, world_size

_IGNORED = -100


class LossWeights:
    """Steps of one batch are not weighted, nor are contrastive losses and those of masked pretraining."""

    def __init__(self) -> None:
        self._mean: Any = None

    def of(self, batches: Sequence[Any]) -> None:
        """Counts the labels of a step: tokens of captions, or clips with a class."""
        self._mean = None
        if len(batches) * world_size() <= 1 or not all("labels" in batch for batch in batches):
            return
        sizes = torch.stack([_size(batch) for batch in batches]).float()
        totals = torch.stack([sizes.sum(), sizes.new_tensor(float(len(sizes)))])
        if world_size() > 1 and dist.is_initialized():
            totals = totals.to(local_device())
            dist.all_reduce(totals)
        self._mean = totals[0] / totals[1]

    def weigh(self, loss: Any, batch: Any) -> Any:
        """The loss times the batch's label count, divided by the mean label count of the step's batches."""
        if self._mean is None or "labels" not in batch:
            return loss
        return loss * (_size(batch).to(loss.device) / self._mean.to(loss.device))


def _size(batch: Any) -> torch.Tensor:
    return (batch["labels"] != _IGNORED).sum()
