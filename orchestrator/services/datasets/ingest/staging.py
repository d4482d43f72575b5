"""Lays the complete uploads of a dataset out in one folder: archives unpacked, single files linked in."""

import hashlib
import os
import shutil
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from orchestrator.domain.errors import Invalid
from orchestrator.services.datasets.files import UNPACKED, free_name, is_litter
from orchestrator.services.datasets.ingest.layouts.tree import is_video
from orchestrator.services.datasets.ingest.parquet_clips import unpack_table
from orchestrator.services.datasets.ingest.tar_archives import ENDINGS, is_tar, unpack_tar
from orchestrator.services.datasets.ingest.zip_archives import unpack
from orchestrator.services.uploads.part_file import upload_path
from orchestrator.settings import get_settings

_FOREIGN = {
    b"7z\xbc\xaf\x27\x1c": "a 7z archive",
    b"Rar!\x1a\x07": "a rar archive",
    b"\xfd7zXZ\x00": "packed with xz",
    b"BZh": "packed with bzip2",
    b"\x28\xb5\x2f\xfd": "packed with zstd",
}


@dataclass(frozen=True, slots=True)
class Arrived:
    """A complete upload: the little that reading it takes, many times cheaper to make than its row."""

    id: str
    filename: str


def lay_out(uploads: Sequence[Arrived], staging: Path) -> list[str]:
    """Unpacks zips and tars and links single files into the staging folder; the names inside it.

    Raises:
        Invalid: an archive that cannot be unpacked safely, or nothing was brought.
    """
    limit = get_settings().max_upload_bytes
    for upload in uploads:
        source = upload_path(upload.id)
        if not source.exists():
            raise Invalid(f"The bytes of {upload.filename} are gone. Upload it again.")
        _place(source, upload.filename, staging, limit, alone=len(uploads) == 1)
    _open_shards(staging, limit)
    _open_tables(staging, limit)
    names = [name for name in names_below(staging) if not is_litter(name)]
    if not names:
        raise Invalid("Nothing was uploaded. Add videos, or a zip with one folder for each class.")
    return names


def keep_unpacked(folder: Path, uploads: Sequence[Arrived], staging: Path) -> None:
    """What was unpacked waits with the uploads for somebody to accept how it was read: once is enough."""
    if staging.is_dir():
        os.replace(staging, folder / _kept_name(uploads))


def take_unpacked(folder: Path, uploads: Sequence[Arrived], staging: Path) -> list[str]:
    """Moves what these very uploads were unpacked to into the staging folder; the names inside it, [] if there is none.

    What was kept of other uploads goes: they were called off.
    """
    kept = folder / _kept_name(uploads)
    for old in folder.glob(f"{UNPACKED}-*"):
        if old != kept:
            shutil.rmtree(old, ignore_errors=True)
    if not uploads or not kept.is_dir():
        return []
    os.replace(kept, staging)
    return [name for name in names_below(staging) if not is_litter(name)]


def _kept_name(uploads: Sequence[Arrived]) -> str:
    ids = "\n".join(sorted(upload.id for upload in uploads))
    return f"{UNPACKED}-{hashlib.sha256(ids.encode()).hexdigest()[:16]}"


def _place(source: Path, name: str, staging: Path, limit: int, alone: bool) -> None:
    if is_video(name):  # what is really in it shows when it is opened
        link_in(source, staging / name)
    elif name.lower().endswith(".zip") or zipfile.is_zipfile(source):
        if not zipfile.is_zipfile(source):
            raise Invalid(f"{name} is not a zip, or it is damaged. Zip the folder again and upload it.")
        unpack(source, staging, limit, name)
    elif is_tar(source, name):
        unpack_tar(source, staging if alone else _own_folder(staging / name), limit, name)
    else:
        _refuse_foreign(source, name)
        link_in(source, staging / name)


def _open_shards(staging: Path, limit: int) -> None:
    """Unpacks tars that came inside a folder or a zip, each into a folder of its own name; never deeper."""
    for shard in sorted(staging / name for name in names_below(staging) if name.lower().endswith(ENDINGS)):
        unpack_tar(shard, _own_folder(shard), limit, shard.name)
        shard.unlink()


def _open_tables(staging: Path, limit: int) -> None:
    """Writes out the clips that lie inside Parquet files; all of them together keep the limit."""
    for name in sorted(names_below(staging)):
        if name.lower().endswith(".parquet") and not is_litter(name):
            limit -= unpack_table(staging / name, limit)


def _own_folder(archive: Path) -> Path:
    """Several shards use the same keys; each keeps its files together."""
    folder = free_name(archive.with_name(archive.name.partition(".")[0]))
    folder.mkdir(parents=True)
    return folder


def _refuse_foreign(source: Path, name: str) -> None:
    with source.open("rb") as file:
        head = file.read(8)
    for mark, what in _FOREIGN.items():
        if head.startswith(mark):
            raise Invalid(f"{name} is {what}, which is not unpacked here. Make it a zip or a tar.gz.")


def names_below(folder: Path) -> list[str]:
    """The plain files below a folder, as relative names; links lead nowhere."""
    found, start = [], len(str(folder)) + 1
    for place, _, names in os.walk(folder):
        inside = f"{place[start:]}/" if len(place) >= start else ""
        found += [inside + name for name in names if not os.path.islink(f"{place}/{name}")]
    return found


def link_in(source: Path, target: Path) -> None:
    """Under a free name. The upload stays until everything is recorded, so that a killed worker can begin again."""
    try:
        os.link(source, target)  # most often all it takes: one visit to the disk
        return
    except FileNotFoundError:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError:
        pass
    target = free_name(target)
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
