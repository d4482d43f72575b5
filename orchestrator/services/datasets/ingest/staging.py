"""Stages the complete uploads of a dataset in one folder: archives are unpacked, single files are linked."""

import hashlib
import os
import shutil
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from orchestrator.domain.errors import Invalid
from orchestrator.services.datasets.files import UNPACKED, is_system_file, is_video, unused_path
from orchestrator.services.datasets.ingest.parquet_clips import unpack_table
from orchestrator.services.datasets.ingest.tar_archives import ENDINGS, is_tar, unpack_tar
from orchestrator.services.datasets.ingest.zip_archives import unpack
from orchestrator.services.uploads.part_file import upload_path
from orchestrator.settings import get_settings

_UNSUPPORTED = {
    b"7z\xbc\xaf\x27\x1c": "a 7z archive",
    b"Rar!\x1a\x07": "a rar archive",
    b"\xfd7zXZ\x00": "packed with xz",
    b"BZh": "packed with bzip2",
    b"\x28\xb5\x2f\xfd": "packed with zstd",
}


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
    for upload in uploads:
        source = upload_path(upload.id)
        if not source.exists():
            raise Invalid(f"The bytes of {upload.filename} are no longer there. Upload it again.")
        _stage_file(source, upload.filename, staging, limit, alone=len(uploads) == 1)
    _open_shards(staging, limit)
    _open_tables(staging, limit)
    names = [name for name in list_files(staging) if not is_system_file(name)]
    if not names:
        raise Invalid("Nothing was uploaded. Add videos, or a zip with one folder for each class.")
    return names


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
    return [name for name in list_files(staging) if not is_system_file(name)]


def _unpacked_name(uploads: Sequence[ArrivedUpload]) -> str:
    ids = "\n".join(sorted(upload.id for upload in uploads))
    return f"{UNPACKED}-{hashlib.sha256(ids.encode()).hexdigest()[:16]}"


def _stage_file(source: Path, name: str, staging: Path, limit: int, alone: bool) -> None:
    if is_video(name):  # its content is checked when it is probed
        link_file(source, staging / name)
    elif name.lower().endswith(".zip") or zipfile.is_zipfile(source):
        if not zipfile.is_zipfile(source):
            raise Invalid(f"{name} is not a zip, or it is damaged. Zip the folder again and upload it.")
        unpack(source, staging, limit, name)
    elif is_tar(source, name):
        unpack_tar(source, staging if alone else _own_folder(staging / name), limit, name)
    else:
        _refuse_unsupported(source, name)
        link_file(source, staging / name)


def _open_shards(staging: Path, limit: int) -> None:
    """Unpacks tars inside a folder or a zip, each into a folder of its own; tars inside those are not unpacked."""
    for shard in sorted(staging / name for name in list_files(staging) if name.lower().endswith(ENDINGS)):
        unpack_tar(shard, _own_folder(shard), limit, shard.name)
        shard.unlink()


def _open_tables(staging: Path, limit: int) -> None:
    """Extracts the clips inside Parquet files; the limit holds for all of them together."""
    for name in sorted(list_files(staging)):
        if name.lower().endswith(".parquet") and not is_system_file(name):
            limit -= unpack_table(staging / name, limit)


def _own_folder(archive: Path) -> Path:
    """Creates a folder for the files of an archive, because several shards may use the same names."""
    folder = unused_path(archive.with_name(archive.name.partition(".")[0]))
    folder.mkdir(parents=True)
    return folder


def _refuse_unsupported(source: Path, name: str) -> None:
    with source.open("rb") as file:
        head = file.read(8)
    for mark, what in _UNSUPPORTED.items():
        if head.startswith(mark):
            raise Invalid(f"{name} is {what}, which is not unpacked here. Make it a zip or a tar.gz.")


def list_files(folder: Path) -> list[str]:
    """The names of the files below a folder, relative to it; links are left out."""
    files, start = [], len(str(folder)) + 1
    for parent, _, names in os.walk(folder):
        prefix = f"{parent[start:]}/" if len(parent) >= start else ""
        files += [prefix + name for name in names if not os.path.islink(f"{parent}/{name}")]
    return files


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
