"""Where a job's files are: the paths of its attempts, and the folder in which a new attempt starts."""

import contextlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from orchestrator.domain.job_files import ATTEMPT_PREFIX, attempt_name
from orchestrator.domain.numbers import parse_number
from orchestrator.settings import get_settings

_MODE = 0o700
"""A run's folder names a person's clips and captions: only the studio's own account reads it."""


def job_folder(job_id: int) -> Path:
    """The folder with everything of a job."""
    return get_settings().jobs_dir / str(job_id)


def attempt_folder(job_id: int, attempt: int) -> Path:
    """The folder to which one attempt writes; attempt 0 is the job's own folder, in which version 0.1 wrote."""
    return job_folder(job_id) / attempt_name(attempt) if attempt else job_folder(job_id)


def attempts_on_disk(job_id: int) -> list[int]:
    """The attempts that have a folder, the newest first; 0 for the folder of version 0.1 comes last."""
    names = [path.name.removeprefix(ATTEMPT_PREFIX) for path in job_folder(job_id).glob(f"{ATTEMPT_PREFIX}[0-9]*")]
    return [*sorted({number for name in names if (number := parse_number(name))}, reverse=True), 0]


def readable_folder(job_id: int, attempt: int) -> Path:
    """The folder to read for a job whose current attempt is `attempt`: the newest that this or an earlier one has."""
    return attempt_folder(job_id, next(number for number in attempts_on_disk(job_id) if number <= attempt))


def attempt_of(folder: Path) -> int:
    """The attempt that writes to a folder of `attempt_folder`."""
    return parse_number(folder.name.removeprefix(ATTEMPT_PREFIX)) or 0 if folder.name[:1] == ATTEMPT_PREFIX else 0


def new_attempt_folder(job_id: int, attempt: int, fill: Callable[[Path], object]) -> Path:
    """Creates the folder of a new attempt, which `fill` fills.

    It appears complete: a reader sees the earlier folder or this one, never a log that is half copied.

    Raises:
        OSError: the disk is full or the folder cannot be written.
    """
    folder = attempt_folder(job_id, attempt)
    part = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    job_folder(job_id).mkdir(mode=_MODE, parents=True, exist_ok=True)
    with contextlib.suppress(PermissionError):  # of another account, which shares it with this one
        job_folder(job_id).chmod(_MODE)
    part.mkdir(mode=_MODE)
    fill(part)
    # Left by a run that the database does not know, since it was restored from a backup.
    shutil.rmtree(folder, ignore_errors=True)
    os.replace(part, folder)
    return folder
