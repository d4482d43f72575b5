"""Checkpoints that are whole or not there: written aside, listed with sizes and sums, renamed, checked before use."""

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from jobs.runs.library_versions import VERSIONS, installed_versions
from orchestrator.domain.exported_step import BestEvaluation
from orchestrator.domain.job_files import BEST_EVALUATION, CHECKPOINT_PREFIX, MANIFEST
from orchestrator.domain.numbers import parse_number

KEPT = 2
"""The newest checkpoints that an attempt keeps, next to those of their best evaluations."""
_EVALUATION_PENDING = "evaluation_pending"
"""An empty file in a checkpoint whose evaluation has not ended; not listed in the manifest, since it goes away."""
_UNLISTED = (_EVALUATION_PENDING, BEST_EVALUATION)
_FULL = ("no space left on device", "disk quota exceeded", "storagefull", "inline_container.cc", "iostream error")
"""How safetensors and torch tell of a full disk: with errors of their own, the system's words inside."""


def commit_checkpoint(part: Path, final: Path) -> None:
    """Notes in `part` which libraries wrote it, lists what is in it, syncs it and renames it to `final`."""
    (part / VERSIONS).write_text(json.dumps(installed_versions()))
    files = sorted(path for path in part.rglob("*") if path.is_file() and path.name not in _UNLISTED)
    listing = {path.relative_to(part).as_posix(): [path.stat().st_size, _sum(path)] for path in files}
    for path in files:
        _sync(path)
    (part / MANIFEST).write_text(json.dumps(listing, indent=1))
    _sync(part / MANIFEST)
    if final.exists():
        shutil.rmtree(final)
    os.replace(part, final)
    _sync(final.parent)


def is_complete(folder: Path) -> bool:
    """True when every listed file is there with its size and sum."""
    try:
        listing = json.loads((folder / MANIFEST).read_text())
        return bool(listing) and all(
            (folder / name).stat().st_size == size and _sum(folder / name) == digest
            for name, (size, digest) in listing.items()
        )
    except (OSError, ValueError, AttributeError, TypeError):
        return False


def latest_complete_checkpoint(folder: Path, earlier: Iterable[Path] = ()) -> Path | None:
    """The newest complete checkpoint; damaged ones are passed over.

    Args:
        folder: the attempt's own checkpoints.
        earlier: checkpoints of earlier attempts, in the order in which they are tried after its own.
    """
    own = sorted(folder.glob(f"{CHECKPOINT_PREFIX}*"), key=_step, reverse=True)
    for path in (*own, *earlier):
        if _step(path) >= 0 and is_complete(path):
            return path
    return None


def mark_evaluation(checkpoint: Path, pending: bool) -> None:
    """Notes whether the evaluation that belongs to a checkpoint is still to be done."""
    marker = checkpoint / _EVALUATION_PENDING
    if not pending:
        marker.unlink(missing_ok=True)
    elif checkpoint.is_dir():
        marker.touch()


def is_evaluation_pending(checkpoint: Path) -> bool:
    """True where the run ended between the checkpoint and the end of its evaluation."""
    return (checkpoint / _EVALUATION_PENDING).exists()


def write_best_evaluation(checkpoint: Path, best: BestEvaluation) -> None:
    """Notes in a checkpoint which evaluation was the best up to its step."""
    if checkpoint.is_dir():
        part = checkpoint / f".{BEST_EVALUATION}.part"
        part.write_text(json.dumps(best.to_json()))
        os.replace(part, checkpoint / BEST_EVALUATION)


def read_best_evaluation(checkpoint: Path) -> BestEvaluation:
    """What `write_best_evaluation` noted; nothing evaluated where it is missing or damaged."""
    try:
        return BestEvaluation.from_json(json.loads((checkpoint / BEST_EVALUATION).read_text()))
    except (OSError, ValueError):
        return BestEvaluation()


def checkpoint_of_step(step: int, folder: Path, earlier: Iterable[Path] = ()) -> Path | None:
    """The complete checkpoint of a step, the attempt's own first; None where it is missing or damaged."""
    candidates = (folder / f"{CHECKPOINT_PREFIX}{step}", *(path for path in earlier if _step(path) == step))
    return next((path for path in candidates if is_complete(path)), None)


def prune_checkpoints(folder: Path) -> None:
    """Keeps the newest two of an attempt's own checkpoints with the best of each, and no half-written one."""
    paths = sorted(folder.glob(f"{CHECKPOINT_PREFIX}*"), key=_step, reverse=True)
    best = {read_best_evaluation(path).step for path in paths[:KEPT]}
    for path in paths[KEPT:]:
        if _step(path) not in best:
            shutil.rmtree(path, ignore_errors=True)
    for path in folder.glob(".part*"):
        shutil.rmtree(path, ignore_errors=True)


def disk_is_full(error: BaseException) -> bool:
    """True for a write that failed because the disk is full."""
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return True
    return any(saying in str(error).lower() for saying in _FULL)


def _step(path: Path) -> int:
    number = parse_number(path.name.removeprefix(CHECKPOINT_PREFIX))
    return -1 if number is None else number


def _sum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
