"""What a run does when its memory runs out: fewer clips at a time, then less kept of them, then the truth."""

import errno
import gc
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from orchestrator.domain.errors import Invalid
from orchestrator.domain.failures import FailureKind
from orchestrator.domain.job_files import MEMORY_SETTINGS
from orchestrator.domain.recipes import Recipe, smaller_batch

_SAYINGS = (
    "can't allocate memory",
    "cannot allocate memory",
    "out of memory",
    "not enough memory",
    "cublas_status_alloc_failed",
)


@dataclass(frozen=True, slots=True)
class MemorySettings:
    """How the clips of a step are divided. `checkpointing`: activations are computed again instead of kept."""

    batch: int
    gather: int
    checkpointing: bool = False

    def on(self, recipe: Recipe) -> Recipe:
        """The recipe as it is really run: as many clips a step as asked for."""
        optim = recipe.optim.model_copy(update={"batch_size": self.batch, "gradient_accumulation": self.gather})
        return recipe.model_copy(update={"optim": optim})

    def words(self) -> str:
        """Such as "4 clips at a time, 4 times a step"."""
        clips = f"{self.batch} clip{'' if self.batch == 1 else 's'} at a time, {self.gather} times a step"
        return f"{clips}, activations computed again instead of kept" if self.checkpointing else clips


class OutOfMemory(Invalid):
    """Nothing was left to ease; `field` is what to change, `kind` says whether a smaller batch may fit."""

    def __init__(self, message: str, field: str, kind: FailureKind) -> None:
        super().__init__(message, field)
        self.kind = kind


def requested_settings(recipe: Recipe) -> MemorySettings:
    """What the recipe wants."""
    return MemorySettings(recipe.optim.batch_size, recipe.optim.gradient_accumulation)


def reduce_memory(now: MemorySettings, is_contrastive: bool, can_checkpoint: bool) -> MemorySettings:
    """The next lighter way to train the same.

    Args:
        contrasts: the loss compares the clips of a batch, so that a smaller one would train something else.
        can_checkpoint: activations may be computed again, and are not yet.

    Raises:
        OutOfMemory: there is none.
    """
    if not is_contrastive and (smaller := smaller_batch(now.batch, now.gather)):
        return MemorySettings(*smaller, now.checkpointing)
    if can_checkpoint and not now.checkpointing:
        return MemorySettings(now.batch, now.gather, True)
    if is_contrastive:
        text = (
            f"The memory ran out with {now.words()}. This model learns by telling the clips of a batch apart, so the "
        )
        text += "batch was not divided. Choose a smaller batch size."
        raise OutOfMemory(text, "optim.batch_size", FailureKind.OUT_OF_MEMORY)
    text = f"The memory ran out even with {now.words()}. Use fewer frames, a smaller frame size or a lower rank."
    raise OutOfMemory(text, "data.frames", FailureKind.NOTHING_LEFT_TO_DIVIDE)


def is_out_of_memory(error: BaseException) -> bool:
    """True for what torch, Python and the system raise where memory cannot be had."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    if isinstance(error, OSError):
        return error.errno == errno.ENOMEM
    return isinstance(error, RuntimeError) and any(saying in str(error).lower() for saying in _SAYINGS)


def free_memory() -> None:
    """Gives back what the failed try held, before the next one loads its model."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def save_settings(folder: Path, easing: MemorySettings) -> None:
    """Keeps it with the job: a resumed run must not run out again to learn the same."""
    part = folder / f".{MEMORY_SETTINGS}.part"
    part.write_text(json.dumps(asdict(easing)))
    os.replace(part, folder / MEMORY_SETTINGS)


def load_settings(folder: Path, recipe: Recipe) -> MemorySettings:
    """What an earlier attempt of this job came down to, else what the recipe asks."""
    asked = requested_settings(recipe)
    try:
        found = MemorySettings(**json.loads((folder / MEMORY_SETTINGS).read_text()))
    except (OSError, ValueError, TypeError):
        return asked
    return found if found.batch * found.gather == asked.batch * asked.gather else asked
