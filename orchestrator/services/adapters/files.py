"""Where an adapter's files lie: in its job's folder, or in one of its own once the job is gone."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import structlog

from orchestrator.domain.adapters import Adapter, ResultKind
from orchestrator.settings import get_settings

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class FileRow:
    """One file of an adapter; `name` is its path inside the folder, with forward slashes."""

    name: str
    size_bytes: int


def home_folder(adapter_id: int) -> Path:
    """What belongs to an adapter besides what its job wrote: its zip, its merged model, its files without a job."""
    return get_settings().data_dir / "adapters" / str(adapter_id)


def merged_folder(adapter_id: int) -> Path:
    """Where the whole model lies once it is merged."""
    return home_folder(adapter_id) / "merged"


def half_of(folder: Path) -> Path:
    """Where a folder is written that must appear whole."""
    return folder.with_name(f".{folder.name}.part")


def adapter_folder(adapter: Adapter) -> Path:
    """The folder with the weights; it may be gone when somebody cleared the disk by hand."""
    kept = home_folder(adapter.id or 0) / adapter.kind.value
    return kept if kept.is_dir() else job_result(adapter.source_job, adapter.kind)


def job_result(job_id: int, kind: ResultKind) -> Path:
    """Where a job writes what it leaves."""
    return get_settings().jobs_dir / str(job_id) / kind.value


def kind_left_by(job_id: int) -> ResultKind | None:
    """What the job's folder holds now."""
    return next((kind for kind in ResultKind if job_result(job_id, kind).is_dir()), None)


def take_home(adapter: Adapter) -> None:
    """Moves the files out of the job's folder, which is about to go."""
    source, target = job_result(adapter.source_job, adapter.kind), home_folder(adapter.id or 0) / adapter.kind.value
    if source.is_dir() and not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        os.replace(source, target)


def remove_files(adapter: Adapter) -> None:
    """Deletes everything that the adapter has on disk."""
    shutil.rmtree(job_result(adapter.source_job, adapter.kind), ignore_errors=True)
    shutil.rmtree(home_folder(adapter.id or 0), ignore_errors=True)


def list_files(folder: Path) -> list[FileRow]:
    """The files below the folder, by name; what vanishes meanwhile is left out."""
    rows: list[FileRow] = []
    for path in sorted(folder.rglob("*")):
        try:
            if path.is_file():
                rows.append(FileRow(path.relative_to(folder).as_posix(), path.stat().st_size))
        except OSError as error:
            log.warning("adapter.file_unreadable", file=path.name, error=error.strerror)
    return rows
