"""Weights micro-batch losses by label count, so that gradient accumulation equals one large batch."""

from collections.abc import Sequence
from typing import Any

import torch
import torch.distributed as dist

from jobs.trainer.distributed import local_device, world_size

_LEFT_OUT = -100


class LossWeights:
    """Of a step that is one batch, nothing is weighed; nor of losses that compare clips or rebuild them."""

    def __init__(self) -> None:
        self._mean: Any = None

    def of(self, batches: Sequence[Any]) -> None:
        """Counts the labels of a step: words of captions, or clips with a class."""
        self._mean = None
        if len(batches) * world_size() <= 1 or not all("labels" in batch for batch in batches):
            return
        sizes = torch.stack([_size(batch) for batch in batches]).float()
        told = torch.stack([sizes.sum(), sizes.new_tensor(float(len(sizes)))])
        if world_size() > 1 and dist.is_initialized():
            told = told.to(local_device())
            dist.all_reduce(told)
        self._mean = told[0] / told[1]

    def weigh(self, loss: Any, batch: Any) -> Any:
        """The batch's mean times what it holds of what a batch of its step holds in the mean."""
        if self._mean is None or "labels" not in batch:
            return loss
        return loss * (_size(batch).to(loss.device) / self._mean.to(loss.device))


def _size(batch: Any) -> torch.Tensor:
    return (batch["labels"] != _LEFT_OUT).sum()
