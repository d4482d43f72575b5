"""Stages the complete uploads of a dataset in one folder: archives are unpacked, single files are linked."""

import hashlib
import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from orchestrator.domain.errors import Invalid
from orchestrator.services.datasets.files import UNPACKED, is_system_file, list_files, unused_path
from orchestrator.services.datasets.ingest.archive_kinds import ArchiveKind, archive_kind
from orchestrator.services.datasets.ingest.archive_notes import ArchiveFindings, read_findings
from orchestrator.services.datasets.ingest.archive_parts import PartFiles, group_parts
from orchestrator.services.datasets.ingest.open_archives import open_archive, open_nested, open_part_set, own_folder
from orchestrator.services.datasets.ingest.parquet_clips import unpack_table
from orchestrator.services.uploads.part_file import upload_path
from orchestrator.settings import get_settings

_NOTES_FILE = ".archive-notes"
"""What is known of the unpacked archives, kept with the files until the layout is accepted."""


@dataclass(frozen=True, slots=True)
class ArrivedUpload:
    """A complete upload: only the columns that an import needs."""

    id: str
    filename: str


def stage_uploads(uploads: Sequence[ArrivedUpload], staging: Path) -> list[str]:
    """Unpacks archives and links single files into the staging folder.

    Returns:
        The names of the files, relative to the staging folder.

    Raises:
        Invalid: an archive cannot be unpacked safely, or there are no files.
    """
    limit = get_settings().max_upload_bytes
    findings, packed = ArchiveFindings(), 0
    for upload in uploads:
        try:
            packed += os.stat(upload_path(upload.id)).st_size
        except FileNotFoundError:
            raise Invalid(f"The bytes of {upload.filename} are no longer there. Upload it again.") from None
    ids = {upload.filename: upload.id for upload in uploads}
    sets = group_parts(ids)
    in_parts: set[str] = set()
    for base, members in sets.items():
        paths = {name: upload_path(ids[name]) for name in members}
        if open_part_set(base, paths, staging, limit, findings) is not None:
            in_parts |= set(members)
    for upload in uploads:
        if upload.filename not in in_parts:
            _stage_file(upload_path(upload.id), upload.filename, staging, limit, findings, alone=len(uploads) == 1)
    open_nested(staging, packed, limit, findings)
    _open_tables(staging, limit)
    names = _staged_files(staging)
    if not names:
        raise Invalid("Nothing was uploaded. Add videos, or a zip with one folder for each class.")
    (staging / _NOTES_FILE).unlink(missing_ok=True)
    (staging / _NOTES_FILE).write_text(json.dumps(findings.to_json()))
    return names


def archive_findings(staging: Path) -> ArchiveFindings | None:
    """What was left out of the archives in the staging folder, or guessed; None for files that were not staged now."""
    return read_findings(staging / _NOTES_FILE)


def _staged_files(staging: Path) -> list[str]:
    return [name for name in list_files(staging) if name != _NOTES_FILE and not is_system_file(name)]


def store_unpacked(folder: Path, uploads: Sequence[ArrivedUpload], staging: Path) -> None:
    """Keeps the unpacked files during the review of their layout, so that they are unpacked only once."""
    if staging.is_dir():
        os.replace(staging, folder / _unpacked_name(uploads))


def restore_unpacked(folder: Path, uploads: Sequence[ArrivedUpload], staging: Path) -> list[str]:
    """Moves the unpacked files of these uploads into the staging folder, and deletes those of cancelled uploads.

    Returns:
        The names of the files; [] where these uploads were not unpacked before.
    """
    unpacked = folder / _unpacked_name(uploads)
    for old in folder.glob(f"{UNPACKED}-*"):
        if old != unpacked:
            shutil.rmtree(old, ignore_errors=True)
    if not uploads or not unpacked.is_dir():
        return []
    os.replace(unpacked, staging)
    return _staged_files(staging)


def _unpacked_name(uploads: Sequence[ArrivedUpload]) -> str:
    ids = "\n".join(sorted(upload.id for upload in uploads))
    return f"{UNPACKED}-{hashlib.sha256(ids.encode()).hexdigest()[:16]}"


def _stage_file(source: Path, name: str, staging: Path, limit: int, findings: ArchiveFindings, alone: bool) -> None:
    parts = PartFiles([source])
    target = staging if alone or archive_kind(parts, name) is not ArchiveKind.TAR else own_folder(staging / name)
    if open_archive(parts, name, target, staging, limit, findings) is None:
        link_file(source, staging / name)  # the content of a video is checked when it is probed


def _open_tables(staging: Path, limit: int) -> None:
    """Extracts the clips inside Parquet files; the limit holds for all of them together."""
    for name in sorted(list_files(staging)):
        if name.lower().endswith(".parquet") and not is_system_file(name):
            limit -= unpack_table(staging / name, limit)


def link_file(source: Path, target: Path) -> None:
    """Links a file under an unused name. The upload stays until the import is recorded, so that it can be repeated."""
    try:
        os.link(source, target)  # usually the only system call
        return
    except FileNotFoundError:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError:
        pass
    target = unused_path(target)
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
