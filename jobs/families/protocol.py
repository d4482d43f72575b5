"""What a model family must offer: the trainer knows these few words and no family by name."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from jobs.video.cache import Sampling
from orchestrator.domain.recipes import Recipe

Item = dict[str, Any]
"""One clip as the trainer's dataset hands it over: `frames` (T, H, W, 3) bytes, `label` class index or -1,
`learn`: True where the model may be shown a varied copy."""
Collate = Callable[[Sequence[Item]], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Base:
    """A base model on disk: its folder, its config.json and its preprocessor_config.json."""

    folder: Path
    config: dict[str, Any]
    processor: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Score:
    """What an evaluation says: named values, and each clip's prediction where there is one."""

    values: dict[str, float]
    predicted: NDArray[np.int64] | None = None
    confidence: NDArray[np.float32] | None = None


class Family(Protocol):
    """One folder of jobs/families."""

    name: str
    """The `model_type` of config.json."""
    title: str
    """As people know it."""
    pipeline_tag: str
    """What the adapter's card calls the task."""
    auto_class: str
    """The transformers class that loads the base."""
    head: tuple[str, ...]
    """Modules that are trained and saved whole, and never quantized."""

    def check(self, base: Base, recipe: Recipe, task: str) -> None:
        """Raises Invalid with a sentence when this base cannot do what is asked."""
        ...

    def sampling(self, base: Base, recipe: Recipe) -> Sampling:
        """Which frames and pixels the model sees."""
        ...

    def load(self, base: Base, recipe: Recipe, class_names: Sequence[str], device: str) -> Any:
        """The model on `device`: quantized where the recipe says so, heads fresh, not yet with adapters."""
        ...

    def targets(self, recipe: Recipe) -> list[str]:
        """Name endings of the linear layers that get an adapter."""
        ...

    def collate(self, base: Base, recipe: Recipe) -> Collate:
        """Makes a batch of tensors from items."""
        ...

    def score(self, logits: Any, labels: NDArray[np.int64], recipe: Recipe) -> Score:
        """Judges an evaluation's raw output."""
        ...
