"""The files of an adapter: with the attempt that made it, or in a folder of their own once the job is deleted."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import structlog

from orchestrator.domain.adapters import Adapter, ResultKind
from orchestrator.services.attempts.folders import attempt_folder, attempts_on_disk, readable_folder
from orchestrator.settings import get_settings

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class FileRow:
    """One file of an adapter; `name` is its path inside the folder, with forward slashes."""

    name: str
    size_bytes: int


def home_folder(adapter_id: int) -> Path:
    """The adapter's own folder: its zip, its merged model, and its weights when the job is deleted."""
    return get_settings().data_dir / "adapters" / str(adapter_id)


def merged_folder(adapter_id: int) -> Path:
    """Where the merged model is."""
    return home_folder(adapter_id) / "merged"


def partial_folder(folder: Path) -> Path:
    """Where a folder is written that must appear complete: it is renamed to `folder` at the end."""
    return folder.with_name(f".{folder.name}.part")


def adapter_folder(adapter: Adapter) -> Path:
    """The folder with the weights; it is missing when files were deleted by hand."""
    own = home_folder(adapter.id or 0) / adapter.kind.value
    return own if own.is_dir() else job_result(adapter.source_job, adapter.kind)


def job_result(job_id: int, kind: ResultKind) -> Path:
    """The folder with the result of a completed job: that of the newest attempt which has one."""
    folders = [attempt_folder(job_id, attempt) / kind.value for attempt in attempts_on_disk(job_id)]
    return next((folder for folder in folders if folder.is_dir()), folders[-1])


def result_kind_on_disk(job_id: int, attempt: int) -> ResultKind | None:
    """The kind of result that the job's attempt has written; None where there is none."""
    folder = readable_folder(job_id, attempt)
    return next((kind for kind in ResultKind if (folder / kind.value).is_dir()), None)


def move_files_from_job(adapter: Adapter) -> None:
    """Moves the weights from the job's folder, which is about to be deleted, to the adapter's own."""
    source, target = job_result(adapter.source_job, adapter.kind), home_folder(adapter.id or 0) / adapter.kind.value
    if source.is_dir() and not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        os.replace(source, target)


def remove_files(adapter: Adapter) -> None:
    """Deletes all files of the adapter."""
    for attempt in attempts_on_disk(adapter.source_job):
        shutil.rmtree(attempt_folder(adapter.source_job, attempt) / adapter.kind.value, ignore_errors=True)
    shutil.rmtree(home_folder(adapter.id or 0), ignore_errors=True)


def list_files(folder: Path) -> list[FileRow]:
    """The files below the folder, by name; those that are deleted meanwhile are left out."""
    rows: list[FileRow] = []
    for path in sorted(folder.rglob("*")):
        try:
            if path.is_file():
                rows.append(FileRow(path.relative_to(folder).as_posix(), path.stat().st_size))
        except OSError as error:
            log.warning("adapter.file_unreadable", file=path.name, error=error.strerror)
    return rows
