"""Which checkpoints of a job count. A checkpoint is taken in by a transaction that holds the job for its attempt."""

import json
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import update
from sqlmodel import Session, col, select

from orchestrator.domain.attempts import Checkpoint, EndedAttempt
from orchestrator.domain.exported_step import BestEvaluation
from orchestrator.domain.job_files import BEST_EVALUATION, CHECKPOINT_PREFIX, CHECKPOINTS, MANIFEST
from orchestrator.domain.numbers import parse_id
from orchestrator.domain.training_jobs import ON_WORKER, TrainingJob
from orchestrator.services.after_commit import after_commit
from orchestrator.services.attempts.folders import attempt_folder, job_folder

KEPT = 2
"""The newest checkpoints that a job keeps: the second is there in case the first is damaged.

The checkpoint of the best evaluation up to each of them is kept as well: a run exports it.
"""


def hold_job(session: Session, job_id: int, attempt: int) -> bool:
    """Locks the job's row until the end of the transaction; False when the attempt is not the current one."""
    same = update(TrainingJob).where(
        col(TrainingJob.id) == job_id, col(TrainingJob.attempt) == attempt, col(TrainingJob.status).in_(ON_WORKER)
    )
    held = session.exec(same.values(attempt=attempt).execution_options(synchronize_session=False))
    return held.rowcount == 1


def complete_checkpoints(folder: Path) -> dict[int, Path]:
    """The checkpoints in an attempt's folder whose listed files all have their size, by step.

    A checkpoint is renamed to its name once it is complete, so this looks at sizes only. A trainer checks the sums
    before it resumes.
    """
    found = (path for path in folder.glob(f"{CHECKPOINTS}/{CHECKPOINT_PREFIX}*") if step_of(path))
    return {step_of(path): path for path in found if size_of(path)}


def step_of(checkpoint: Path) -> int:
    """The step at which it was saved; 0 for another folder."""
    return step_of_name(checkpoint.name)


def step_of_name(name: str) -> int:
    """The same for the name of the folder."""
    return parse_id(name.removeprefix(CHECKPOINT_PREFIX))


def size_of(checkpoint: Path) -> int:
    """The bytes of a checkpoint; 0 for one that is not complete."""
    try:
        listing = json.loads((checkpoint / MANIFEST).read_text())
        sizes = {name: int(size) for name, (size, _sum) in listing.items()}
        complete = all((checkpoint / name).stat().st_size == size for name, size in sizes.items())
    except (OSError, ValueError, AttributeError, TypeError):
        return 0
    return sum(sizes.values()) if complete else 0


def take_in_checkpoints(session: Session, job_id: int, attempt: int) -> list[int]:
    """Counts the complete checkpoints in the folder of an attempt that `hold_job` or a transition holds.

    Returns:
        The steps of those that did not count before.
    """
    known = session.exec(select(Checkpoint.step).where(Checkpoint.job_id == job_id, Checkpoint.attempt == attempt))
    return _add(session, job_id, attempt, set(known), complete_checkpoints(attempt_folder(job_id, attempt)))


def take_in_newest(session: Session, job_id: int, attempt: int) -> None:
    """Counts the newest checkpoints of the attempt that holds the job, and deletes those that they replace.

    Older attempts' checkpoints go as well: only the current attempt deletes files that count, and only after their
    rows are gone, so that no other attempt resumes from them.
    """
    if not hold_job(session, job_id, attempt):
        return
    counted = session.exec(select(Checkpoint).where(Checkpoint.job_id == job_id)).all()
    known = {row.step for row in counted if row.attempt == attempt}
    found = complete_checkpoints(attempt_folder(job_id, attempt))
    paths = {(row.attempt, row.step): job_folder(job_id) / row.path for row in counted}
    kept = keys_to_keep(paths | {(attempt, step): path for step, path in found.items()})
    _add(session, job_id, attempt, known, {step: path for step, path in found.items() if (attempt, step) in kept})
    replaced = [path for step, path in found.items() if (attempt, step) not in kept]
    for row in counted:
        if (row.attempt, row.step) not in kept:
            replaced.append(job_folder(job_id) / row.path)
            session.delete(row)
    session.flush()
    after_commit(session, lambda: [shutil.rmtree(path, ignore_errors=True) for path in replaced])


def keys_to_keep(paths: Mapping[tuple[int, int], Path]) -> set[tuple[int, int]]:
    """The (attempt, step) of the newest checkpoints, and of the best evaluation up to each of them."""
    newest = sorted(paths)[-KEPT:]
    return set(newest) | {best for key in newest if (best := _best_up_to(key, paths)) is not None}


def best_step(checkpoint: Path) -> int:
    """The step of the best evaluation up to a checkpoint; 0 where there was none, or the run does not go by it."""
    try:
        return BestEvaluation.from_json(json.loads((checkpoint / BEST_EVALUATION).read_text())).step
    except (OSError, ValueError):
        return 0


def _best_up_to(key: tuple[int, int], paths: Mapping[tuple[int, int], Path]) -> tuple[int, int] | None:
    """Of several attempts that saved the best step, the newest one before `key` is the one that was evaluated."""
    step = best_step(paths[key])
    return max((other for other in paths if other[1] == step and other <= key), default=None)


def counted_checkpoints(session: Session, job_id: int) -> list[Checkpoint]:
    """The checkpoints that count, those of the newest attempt first, and of an attempt those with the most steps."""
    newest = col(Checkpoint.attempt).desc(), col(Checkpoint.step).desc()
    rows = list(session.exec(select(Checkpoint).where(Checkpoint.job_id == job_id).order_by(*newest)))
    if session.get(EndedAttempt, (job_id, 0)) is None:  # those of version 0.1 get their rows with the next attempt
        former = complete_checkpoints(attempt_folder(job_id, 0))
        rows += [_row(job_id, 0, step, former[step]) for step in sorted(former, reverse=True)]
    return rows


def checkpoints_to_resume_from(session: Session, job_id: int) -> list[Path]:
    """The paths of the checkpoints that count, in the order in which a trainer tries them."""
    return [job_folder(job_id) / row.path for row in counted_checkpoints(session, job_id)]


def saved_step(session: Session, job_id: int) -> int:
    """The most steps that a checkpoint of the job holds; 0 where none counts."""
    return max((row.step for row in counted_checkpoints(session, job_id)), default=0)


def _add(session: Session, job_id: int, attempt: int, known: set[int], found: Mapping[int, Path]) -> list[int]:
    new = sorted(step for step in found if step not in known)
    session.add_all(_row(job_id, attempt, step, found[step]) for step in new)
    session.flush()
    return new


def _row(job_id: int, attempt: int, step: int, folder: Path) -> Checkpoint:
    path, saved = folder.relative_to(job_folder(job_id)).as_posix(), (folder / MANIFEST).stat().st_mtime
    return Checkpoint(
        job_id=job_id,
        attempt=attempt,
        step=step,
        path=path,
        bytes=size_of(folder),
        saved_at=datetime.fromtimestamp(saved, UTC),
    )
