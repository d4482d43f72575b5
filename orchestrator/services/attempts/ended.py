"""What an attempt leaves to those after it. It is noted by the transaction that ends the attempt, so no clock decides.

Until that transaction commits, the attempt is the job's current one: what lies in its folder before is its own work.
What it writes later, cut off and unaware, is not in the note, and nobody reads it.
"""

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlmodel import Session

from orchestrator.domain.adapters import ResultKind
from orchestrator.domain.attempts import EndedAttempt
from orchestrator.domain.job_files import APPENDED, CARRIED_OVER, CHECKPOINTS, RESULT, TENSORBOARD
from orchestrator.domain.training_jobs import JobStatus, TrainingJob
from orchestrator.services.attempts.checkpoints import take_in_checkpoints
from orchestrator.services.attempts.fingerprints import fingerprint
from orchestrator.services.attempts.folders import attempt_folder, attempt_of, new_attempt_folder, readable_folder

_KNOWN_BY_CONTENT = frozenset({*ResultKind, *CARRIED_OVER, RESULT, TENSORBOARD})
"""What a late write would replace or extend unseen; the times of files say nothing after a restored backup."""


@dataclass(frozen=True, slots=True)
class NotedFile:
    """A file or folder as it was when its attempt ended."""

    size: int
    changed_ns: int
    content: str = ""
    """Its fingerprint; "" where none was taken, as by version 0.1: then size and time count."""


@dataclass(frozen=True, slots=True)
class Records:
    """The files of an attempt that may be read."""

    folder: Path
    files: Mapping[str, NotedFile] | None = None
    """By name, when the attempt ended; None while it has not."""

    def limit(self, name: str) -> int | None:
        """How many bytes of a file may be read; None: all."""
        if self.files is None:
            return None
        return self.files[name].size if name in self.files else 0

    def has(self, name: str) -> bool:
        """Whether the file or folder was there before the attempt ended."""
        return self.files is None or name in self.files

    def is_unchanged(self, name: str) -> bool:
        """Whether it is there as it was when the attempt ended."""
        if self.files is None:
            return (self.folder / name).exists()
        noted = self.files.get(name)
        if noted is None:
            return False
        if noted.content:
            return fingerprint(self.folder / name) == noted.content
        return _files_in(self.folder).get(name) == (noted.size, noted.changed_ns)

    def may_show(self, name: str) -> bool:
        """Whether the file or folder is the attempt's own: what it appends later lies beyond `limit`."""
        return self.has(name) if name in APPENDED else self.is_unchanged(name)


def note_end(session: Session, job_id: int, attempt: int) -> None:
    """Notes what the attempt's folder holds, and counts its complete checkpoints. Only the first end of it counts.

    Call it in the transaction whose compare-and-set takes the job from the attempt.
    """
    if attempt < 1 or is_ended(session, job_id, attempt):
        return
    # The checkpoints first: a trainer records a step before it saves it, so the records of each that counts are noted.
    take_in_checkpoints(session, job_id, attempt)
    folder = attempt_folder(job_id, attempt)
    files = (
        {name: _note(folder / name, facts) for name, facts in _files_in(folder).items()} if folder.is_dir() else None
    )
    session.add(EndedAttempt(job_id=job_id, attempt=attempt, files=files))
    session.flush()


def is_ended(session: Session, job_id: int, attempt: int) -> bool:
    """Whether the attempt has ended, or was ended."""
    return session.get(EndedAttempt, (job_id, attempt)) is not None


def read_records(session: Session, job_id: int, attempt: int) -> Records:
    """The files to read for a job whose current attempt is `attempt`."""
    folder = readable_folder(job_id, attempt)
    ended = session.get(EndedAttempt, (job_id, attempt_of(folder)))
    if ended is None or ended.files is None or _is_completed(session, job_id):
        return Records(folder)
    return Records(folder, {name: NotedFile(*facts) for name, facts in ended.files.items()})


def _is_completed(session: Session, job_id: int) -> bool:
    """Whether its trainer ended before the attempt did, so that nothing in the folder can be late.

    The times of the files then say nothing: a restored backup may have others.
    """
    job = session.get(TrainingJob, job_id)
    return job is not None and job.status is JobStatus.COMPLETED


def start_attempt(session: Session, job_id: int, attempt: int) -> Path:
    """Creates the folder of a new attempt, with what the one before it had recorded until its end.

    Raises:
        OSError: the disk is full or the folder cannot be written.
    """
    _take_in_former_folder(session, job_id)
    earlier = read_records(session, job_id, attempt - 1)

    def fill(folder: Path) -> None:
        for name in APPENDED:
            if earlier.has(name) and (earlier.folder / name).is_file():
                _copy(earlier.folder / name, folder / name, earlier.limit(name))
        for name in CARRIED_OVER:
            if earlier.is_unchanged(name):
                shutil.copyfile(earlier.folder / name, folder / name)
        for kind in ResultKind:
            # An earlier stop exported it; it can be downloaded until this attempt writes its own.
            if earlier.is_unchanged(kind):
                shutil.copytree(earlier.folder / kind, folder / kind, copy_function=_link)
                if not earlier.is_unchanged(kind):  # replaced meanwhile
                    shutil.rmtree(folder / kind)

    return new_attempt_folder(job_id, attempt, fill)


def _take_in_former_folder(session: Session, job_id: int) -> None:
    """Counts the checkpoints that version 0.1 left in the job's own folder, once."""
    folder = attempt_folder(job_id, 0)
    if (folder / CHECKPOINTS).is_dir() and not is_ended(session, job_id, 0):
        session.add(EndedAttempt(job_id=job_id, attempt=0))
        take_in_checkpoints(session, job_id, 0)


def _files_in(folder: Path) -> dict[str, tuple[int, int]]:
    try:
        with os.scandir(folder) as entries:
            stats = [(entry.name, entry.stat()) for entry in entries if not entry.name.startswith(".")]
    except OSError:
        return {}
    return {name: (facts.st_size, facts.st_mtime_ns) for name, facts in stats}


def _note(path: Path, facts: tuple[int, int]) -> list[int | str]:
    return [*facts, fingerprint(path)] if path.name in _KNOWN_BY_CONTENT else [*facts]


def _copy(source: Path, target: Path, limit: int | None) -> None:
    shutil.copyfile(source, target)
    if limit is not None and target.stat().st_size > limit:
        os.truncate(target, limit)


def _link(source: str, target: str) -> None:
    """A hard link costs no space. It is safe: a file of a result is replaced and never written in place."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
