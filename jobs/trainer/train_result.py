"""How an attempt ended: its status, its summary or the reason of its failure, and the `result.json` of both."""

import json
import os
import traceback
from dataclasses import dataclass, field
from pathlib import Path

from jobs.trainer.callbacks import Diverged
from jobs.trainer.checkpoints import disk_is_full
from jobs.trainer.distributed import world_size
from jobs.trainer.oom_recovery import OutOfMemory, is_out_of_memory
from jobs.video.source import BadClip
from orchestrator.domain.errors import AppError, DiskFull
from orchestrator.domain.failures import FailureKind
from orchestrator.domain.run_summary import RunSummary


@dataclass(slots=True)
class TrainResult:
    """How an attempt ended; `result.json` as an object."""

    status: str
    """completed | stopped | failed."""
    summary: RunSummary = field(default_factory=RunSummary)
    failure: FailureKind | None = None
    error: str = ""
    details: str = ""
    stage: str = ""
    """The `Stage` in which the run reacted to a request to stop."""


def failed_result(error: BaseException) -> TrainResult:
    """The kind and the sentence of a failure; an unexpected one keeps its traceback."""
    if isinstance(error, AppError):
        return TrainResult("failed", failure=_refusal_kind(error), error=error.message)
    details = "".join(traceback.format_exception(error))[-8_000:]
    if is_out_of_memory(error):
        text = "The memory ran out before the training began. Use a smaller base, fewer frames or a smaller frame size."
        return TrainResult("failed", failure=FailureKind.OUT_OF_MEMORY_AT_START, error=text, details=details)
    if disk_is_full(error):
        text = "The disk is full. Free some space, then resume the job: it goes on from its last complete checkpoint."
        return TrainResult("failed", failure=FailureKind.DISK_FULL, error=text, details=details)
    lines = str(error).strip().splitlines()
    text = f"The training broke off: {type(error).__name__}{': ' + lines[0][:300] if lines else ''}"
    return TrainResult("failed", failure=FailureKind.CRASH, error=text, details=details)


def _refusal_kind(error: AppError) -> FailureKind:
    match error:
        case OutOfMemory():
            return error.kind
        case Diverged():
            return FailureKind.DIVERGED
        case DiskFull():
            return FailureKind.DISK_FULL
        case BadClip():
            return FailureKind.UNREADABLE_CLIP
        case _:
            return FailureKind.NOT_TRAINABLE


def write_result(path: Path, attempt: int, result: TrainResult) -> None:
    """Writes `result.json`, complete or not at all."""
    if result.status == "failed" and world_size() > 1 and path.exists():
        return  # the rank that failed first says why; the others failed because of it
    part = path.with_suffix(f".part{os.getpid()}")
    content = {"attempt": attempt, "status": result.status, "summary": result.summary.to_json()}
    content |= {"failure": result.failure or "", "error": result.error, "details": result.details}
    content["stage"] = result.stage
    part.write_text(json.dumps(content, indent=1))
    os.replace(part, path)
