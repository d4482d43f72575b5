"""Unpacks untrusted tar archives, plain or gzipped: only regular files, no path traversal, no decompression bombs."""

import gzip
import shutil
import tarfile
import zlib
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

from orchestrator.domain.errors import Invalid
from orchestrator.services.datasets.files import is_system_file, unused_path

MAX_ENTRIES = 100_000
MAX_RATIO = 50
_ALWAYS_ALLOWED_BYTES = 2**20
_BLOCK = 2**20
_RESERVED_BYTES = 256 * 2**20
_MAX_NAME_BYTES = 64 * 1024
ENDINGS = (".tar", ".tar.gz", ".tgz")
_SPECIAL = (
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
)
_DAMAGED = (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile, ValueError, OverflowError)


class _Entry(tarfile.TarInfo):
    """Refuses headers with very long names, which tarfile would read into memory."""

    def _proc_member(self, archive: tarfile.TarFile) -> Any:
        if self.type in _SPECIAL and self.size > _MAX_NAME_BYTES:
            raise tarfile.ReadError("a name or header is too long")
        return super()._proc_member(archive)  # type: ignore[misc]


class _Metered:
    """Counts the decompressed bytes and stops a decompression bomb at its limit."""

    def __init__(self, source: IO[bytes], limit: int, name: str) -> None:
        self._source, self._left, self._name = source, limit, name

    def read(self, size: int = -1) -> bytes:
        block = self._source.read(size)
        self._left -= len(block)
        if self._left < 0:
            raise Invalid(f"{self._name} unpacks to far more than its own size allows. Pack only videos.")
        return block


def is_tar(path: Path, name: str) -> bool:
    """By its name, or by the magic bytes of POSIX tar."""
    if name.lower().endswith(ENDINGS):
        return True
    with path.open("rb") as file:
        return file.read(263)[257:262] == b"ustar"


def unpack_tar(archive: Path, target: Path, max_bytes: int, name: str) -> int:
    """Unpacks a tar into `target`.

    Args:
        max_bytes: the most bytes that all files together may have.
        name: the name of the tar in sentences.

    Returns:
        How many files it had.

    Raises:
        Invalid: it is empty, damaged, too large, or has links, devices or names that lead out of the folder.
    """
    packed = archive.stat().st_size
    budget = min(max_bytes, shutil.disk_usage(target).free - _RESERVED_BYTES)
    try:
        with archive.open("rb") as raw:
            is_gzip = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            if not is_gzip:
                _check_entry_count(raw, name)
                raw.seek(0)
            source = cast(BinaryIO, gzip.GzipFile(fileobj=raw)) if is_gzip else raw
            metered = _Metered(source, max(_ALWAYS_ALLOWED_BYTES, MAX_RATIO * packed), name)
            with tarfile.open(fileobj=cast(Any, metered), mode="r|", tarinfo=_Entry) as opened:
                count = _write_all(opened, target, budget, name)
    except _DAMAGED as error:
        raise Invalid(f"{name} is not a tar, or it is damaged. Pack the folder again and upload it.") from error
    if not count:
        raise Invalid(f"{name} is empty. Pack one folder for each class, with its videos inside.")
    return count


def _check_entry_count(raw: BinaryIO, name: str) -> None:
    """Counts the headers first, which takes seconds, so that no disk is filled with files that are deleted again."""
    with tarfile.open(fileobj=raw, mode="r:", tarinfo=_Entry) as opened:
        for number, _ in enumerate(opened):
            _forget_entries(opened)
            if number >= MAX_ENTRIES:
                raise _too_many(name)


def _forget_entries(opened: Any) -> None:
    """Drops the list of entries that tarfile extends while it reads: of a large archive it would fill the memory."""
    opened.members = []  # an attribute of TarFile that its type stub lacks


def _too_many(name: str) -> Invalid:
    return Invalid(f"{name} holds more than {MAX_ENTRIES:,} files. Split it into several.")


def _write_all(opened: tarfile.TarFile, target: Path, budget: int, name: str) -> int:
    count = entries = 0
    for entry in opened:
        entries += 1
        if entries > MAX_ENTRIES:
            raise _too_many(name)
        _forget_entries(opened)
        if entry.isdir() or is_system_file(entry.name):
            continue
        _check(entry, name)
        budget -= _write(opened, entry, target, budget, name)
        count += 1
    return count


def _check(entry: tarfile.TarInfo, name: str) -> None:
    parts = entry.name.replace("\\", "/").split("/")
    if entry.name.startswith(("/", "\\")) or ".." in parts or ":" in parts[0]:
        raise Invalid(f"{name} holds a name that points outside its folder ({entry.name[:80]}). Pack it again.")
    if entry.issym() or entry.islnk():
        raise Invalid(f"{name} holds a link ({entry.name[:80]}). Pack the files themselves.")
    if not entry.isreg() or entry.issparse():
        raise Invalid(f"{name} holds something that is no plain file ({entry.name[:80]}). Pack only videos.")


def _write(opened: tarfile.TarFile, entry: tarfile.TarInfo, target: Path, budget: int, name: str) -> int:
    path = target / entry.name.replace("\\", "/")
    source = opened.extractfile(entry)
    if source is None or not path.resolve().is_relative_to(target.resolve()):
        raise Invalid(f"{name} holds a name that points outside its folder. Pack it again.")
    path.parent.mkdir(parents=True, exist_ok=True)
    written = 0
    with unused_path(path).open("wb") as file:
        while block := source.read(_BLOCK):
            written += len(block)
            if written > budget:
                raise Invalid(f"{name} does not fit on the disk.")
            file.write(block)
    return written
