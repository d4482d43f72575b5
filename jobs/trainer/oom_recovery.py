"""What a run does when its memory runs out: a smaller micro-batch, then checkpointing, then a failure that says so."""

import errno
import gc
import json
import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch

from orchestrator.domain.errors import Invalid
from orchestrator.domain.failures import FailureKind
from orchestrator.domain.job_files import MEMORY_SETTINGS
from orchestrator.domain.recipes import Recipe, smaller_batch

_OUT_OF_MEMORY = (
    "can't allocate memory",
    "cannot allocate memory",
    "out of memory",
    "not enough memory",
    "cublas_status_alloc_failed",
)


@dataclass(frozen=True, slots=True)
class MemorySettings:
    """How the clips of a step are divided.

    Attributes:
        checkpointing: activations are recomputed instead of stored.
        chunk: clips of a batch that are encoded together where the loss compares them; None: all.
    """

    batch: int
    gather: int
    checkpointing: bool = False
    chunk: int | None = None

    def on(self, recipe: Recipe) -> Recipe:
        """The recipe as it is run: with as many clips a step as the recipe asks for."""
        divided = {"batch_size": self.batch, "gradient_accumulation": self.gather, "chunk_size": self.chunk}
        optim = recipe.optim.model_copy(update=divided)
        return recipe.model_copy(update={"optim": optim})

    def words(self) -> str:
        """Such as "4 clips at a time, 4 times a step"."""
        clips = f"{self.batch} clip{'' if self.batch == 1 else 's'} at a time, {self.gather} times a step"
        clips += f", {self.chunk} of them encoded at once" if self.chunk else ""
        return f"{clips}, activations computed again instead of kept" if self.checkpointing else clips


class OutOfMemory(Invalid):
    """Nothing is left to reduce; `field` is what to change, `kind` says whether a smaller batch may fit."""

    def __init__(self, message: str, field: str, kind: FailureKind) -> None:
        super().__init__(message, field)
        self.kind = kind


def requested_settings(recipe: Recipe) -> MemorySettings:
    """What the recipe asks for."""
    return MemorySettings(recipe.optim.batch_size, recipe.optim.gradient_accumulation, chunk=recipe.optim.chunk_size)


def reduce_memory(now: MemorySettings, is_contrastive: bool, can_checkpoint: bool) -> MemorySettings:
    """The next settings that need less memory and train the same.

    Args:
        is_contrastive: the loss compares the clips of a batch, so that a smaller one would train something else.
        can_checkpoint: gradient checkpointing is possible and not on yet.

    Raises:
        OutOfMemory: there is none.
    """
    if not is_contrastive and (smaller := smaller_batch(now.batch, now.gather)):
        return replace(now, batch=smaller[0], gather=smaller[1])
    if is_contrastive and (now.chunk or now.batch) > 1:
        return replace(now, chunk=(now.chunk or now.batch) // 2)
    if can_checkpoint and not now.checkpointing:
        return replace(now, checkpointing=True)
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
    return isinstance(error, RuntimeError) and any(text in str(error).lower() for text in _OUT_OF_MEMORY)


def free_memory() -> None:
    """Releases what the failed try allocated, before the next one loads its model."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def save_settings(folder: Path, settings: MemorySettings) -> None:
    """Stores them with the job: a resumed run must not run out of memory again first."""
    part = folder / f".{MEMORY_SETTINGS}.part"
    part.write_text(json.dumps(asdict(settings)))
    os.replace(part, folder / MEMORY_SETTINGS)


def load_settings(folder: Path, recipe: Recipe) -> MemorySettings:
    """The settings of an earlier attempt of this job, else those of the recipe."""
    asked = requested_settings(recipe)
    try:
        found = MemorySettings(**json.loads((folder / MEMORY_SETTINGS).read_text()))
    except (OSError, ValueError, TypeError):
        return asked
    return found if found.batch * found.gather == asked.batch * asked.gather else asked
