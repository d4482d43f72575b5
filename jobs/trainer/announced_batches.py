"""A batch sampler that announces each batch one batch ahead, so that its clips can be decoded meanwhile."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from torch.utils.data import DataLoader


class AnnouncedBatches:
    """The batches of another sampler in the same order, and all its attributes."""

    def __init__(self, batches: Any, announce: Callable[[Sequence[int]], None]) -> None:
        self._batches, self._announce = batches, announce

    def __iter__(self) -> Iterator[Any]:
        current = None
        for following in self._batches:
            self._announce(following)
            if current is not None:
                yield current
            current = following
        if current is not None:
            yield current

    def __len__(self) -> int:
        return len(self._batches)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batches, name)


def announce_batches(loader: Any, announce: Callable[[Sequence[int]], None]) -> None:
    """Lets a loader announce its batches; torch gives no other access to the order of an epoch before it is used."""
    inner: DataLoader[Any] = getattr(loader, "base_dataloader", loader)
    object.__setattr__(inner, "batch_sampler", AnnouncedBatches(inner.batch_sampler, announce))
