"""Unpacks untrusted zip archives: no path traversal, no decompression bombs."""

import lzma
import shutil
import stat
import zipfile
import zlib
from pathlib import Path

from orchestrator.domain.errors import Invalid
from orchestrator.services.datasets.files import is_system_file, unused_path

MAX_ENTRIES = 100_000
MAX_RATIO = 50
"""The most that an archive may grow: videos are compressed already and hardly shrink in a zip."""
_DAMAGED = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    NotImplementedError,
    ValueError,
)
_ALWAYS_ALLOWED_BYTES = 2**20
_BLOCK = 2**20
_RESERVED_BYTES = 256 * 2**20
"""Disk space that stays free, for the database and logs."""


def unpack(archive: Path, target: Path, max_bytes: int, name: str) -> int:
    """Unpacks a zip into `target`.

    Args:
        max_bytes: the most bytes that all files together may have.
        name: the name of the zip in sentences.

    Returns:
        How many files it had.

    Raises:
        Invalid: it is empty, damaged, encrypted, too large, or has names that lead out of the folder.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            entries = [e for e in opened.infolist() if not e.is_dir() and not is_system_file(e.filename)]
            _check(entries, archive.stat().st_size, max_bytes, name)
            budget = min(max_bytes, shutil.disk_usage(target).free - _RESERVED_BYTES)
            for entry in entries:
                budget -= _write(opened, entry, target, budget, name)
            return len(entries)
    except (*_DAMAGED, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # an error of the disk; bz2 reports damage as an OSError without errno
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
    if total > max_bytes or (total > _ALWAYS_ALLOWED_BYTES and total > MAX_RATIO * packed):
        raise Invalid(f"{name} unpacks to {total / 2**20:,.0f} MB, far more than its own size allows. Zip only videos.")


def _write(opened: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path, budget: int, name: str) -> int:
    """Writes one file and counts its bytes, because the sizes in the index may be wrong.

    Returns:
        How many bytes were written.
    """
    path = target / entry.filename.replace("\\", "/")
    if not path.resolve().is_relative_to(target.resolve()):
        raise Invalid(f"{name} holds a name that points outside its folder. Zip it again.")
    path.parent.mkdir(parents=True, exist_ok=True)
    path = unused_path(path)  # never overwrite another file, nor write through a link
    written = 0
    with opened.open(entry) as source, path.open("wb") as file:
        while block := source.read(_BLOCK):
            written += len(block)
            if written > entry.file_size or written > budget:
                raise Invalid(f"{name} does not fit on the disk, or its index has wrong sizes.")
            file.write(block)
    return written
