"""Unpacks a zip that a stranger made: no name leaves the folder, no bomb fills the disk."""

import lzma
import shutil
import stat
import zipfile
import zlib
from pathlib import Path

from orchestrator.domain.errors import Invalid
from orchestrator.services.datasets.files import free_name, is_litter

MAX_ENTRIES = 100_000
MAX_RATIO = 50
"""Videos hardly shrink in a zip; what grows fifty times is no set of videos."""
_DAMAGED = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    NotImplementedError,
    ValueError,
)
_FREELY = 2**20
_BLOCK = 2**20
_SPARE_BYTES = 256 * 2**20
"""Stays free on the disk, so that database and logs go on."""


def unpack(archive: Path, target: Path, max_bytes: int, name: str) -> int:
    """Writes the zip's files below `target`; how many.

    Args:
        max_bytes: the most that all files together may hold.
        name: what to call the zip in a sentence.

    Raises:
        Invalid: empty, damaged, encrypted, too large, or with names that point outside.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            entries = [e for e in opened.infolist() if not e.is_dir() and not is_litter(e.filename)]
            _check(entries, archive.stat().st_size, max_bytes, name)
            budget = min(max_bytes, shutil.disk_usage(target).free - _SPARE_BYTES)
            for entry in entries:
                budget -= _write(opened, entry, target, budget, name)
            return len(entries)
    except (*_DAMAGED, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # of the disk; bz2 reports damage as an OSError without a number
        raise Invalid(f"{name} is damaged and cannot be unpacked. Zip the folder again and upload it.") from error


def _check(entries: list[zipfile.ZipInfo], packed: int, max_bytes: int, name: str) -> None:
    if not entries:
        raise Invalid(f"{name} is empty. Zip one folder for each class, with its videos inside.")
    if len(entries) > MAX_ENTRIES:
        raise Invalid(f"{name} holds {len(entries):,} files; at most {MAX_ENTRIES:,} are allowed.")
    for entry in entries:
        parts = entry.filename.replace("\\", "/").split("/")
        if entry.filename.startswith(("/", "\\")) or ".." in parts or ":" in parts[0]:
            raise Invalid(f"{name} holds a name that points outside its folder ({entry.filename[:80]}). Zip it again.")
        if stat.S_ISLNK(entry.external_attr >> 16):
            raise Invalid(f"{name} holds a link ({entry.filename[:80]}). Zip the files themselves.")
        if entry.flag_bits & 1:
            raise Invalid(f"{name} is protected with a password. Zip it without one.")
    total = sum(entry.file_size for entry in entries)
    if total > max_bytes or (total > _FREELY and total > MAX_RATIO * packed):
        raise Invalid(f"{name} unpacks to {total / 2**20:,.0f} MB, far more than its own size allows. Zip only videos.")


def _write(opened: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path, budget: int, name: str) -> int:
    """Counts the bytes that really come: the sizes in a zip's index may lie."""
    path = target / entry.filename.replace("\\", "/")
    if not path.resolve().is_relative_to(target.resolve()):
        raise Invalid(f"{name} holds a name that points outside its folder. Zip it again.")
    path.parent.mkdir(parents=True, exist_ok=True)
    path = free_name(path)  # never write over another upload, nor through a link to it
    written = 0
    with opened.open(entry) as source, path.open("wb") as file:
        while block := source.read(_BLOCK):
            written += len(block)
            if written > entry.file_size or written > budget:
                raise Invalid(f"{name} does not fit on the disk, or its index lies about its sizes.")
            file.write(block)
    return written
