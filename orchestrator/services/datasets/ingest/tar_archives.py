"""Unpacks untrusted tar archives, plain or compressed: only files, no path traversal, no decompression bombs."""

import os
import posixpath
import shutil
import tarfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from orchestrator.domain.errors import Invalid
from orchestrator.services.datasets.files import is_system_file
from orchestrator.services.datasets.ingest.archive_names import guess_encoding
from orchestrator.services.datasets.ingest.archive_notes import ArchiveFindings, encoding_note
from orchestrator.services.datasets.ingest.archive_parts import PartFiles, as_parts
from orchestrator.services.datasets.ingest.decompression import (
    UNPACKABLE,
    DamagedArchive,
    Metered,
    allowed_bytes,
    compression,
    decompressed,
    is_disk_error,
)
from orchestrator.services.datasets.ingest.target_folder import TargetFolder

MAX_ENTRIES = 100_000
_BLOCK = 2**20
_RESERVED_BYTES = 256 * 2**20
_MAX_NAME_BYTES = 64 * 1024
_MAX_GUESSED_NAMES = 1_000
_SPECIAL = (
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
)
_stdlib: Any = tarfile  # its type stub lacks these errors
_EOF_HEADER, _READ_ERROR = _stdlib.EOFHeaderError, tarfile.ReadError
_DAMAGED_HEADERS = (_stdlib.InvalidHeaderError, _stdlib.TruncatedHeaderError)


class _Entry(tarfile.TarInfo):
    """Refuses headers with very long names, which tarfile would read into memory, and damage between the files."""

    @classmethod
    def fromtarfile(cls, tarfile: Any) -> Any:
        try:
            return super().fromtarfile(tarfile)
        except _EOF_HEADER:
            tarfile.saw_end = True
            raise
        except _DAMAGED_HEADERS as error:
            if getattr(tarfile, "saw_end", False):
                raise  # what follows the end is not read
            raise _READ_ERROR(str(error)) from error  # tarfile would take it for the end, and lose the rest

    def _proc_member(self, archive: tarfile.TarFile) -> Any:
        if self.type in _SPECIAL and self.size > _MAX_NAME_BYTES:
            raise tarfile.ReadError("a name or header is too long")
        return super()._proc_member(archive)  # type: ignore[misc]


@dataclass
class _Unpacking:
    """What is known of a tar while it is unpacked."""

    target: TargetFolder
    name: str
    budget: int
    written: dict[str, Path] = field(default_factory=dict)
    """The unpacked files by their names in the archive."""
    links: list[str] = field(default_factory=list)
    """Links that were left out."""
    unknown_names: list[bytes] = field(default_factory=list)
    """Names that are not UTF-8."""
    encoding: str = ""

    def decode(self, name: str) -> str:
        """A name as text: tarfile keeps bytes that are not UTF-8 as surrogates."""
        raw = name.encode("utf-8", "surrogateescape")
        try:
            return raw.decode()
        except UnicodeDecodeError:
            if len(self.unknown_names) < _MAX_GUESSED_NAMES:
                self.unknown_names.append(raw)
                self.encoding = guess_encoding(self.unknown_names, default="cp1252")
            return raw.decode(self.encoding, "replace")

    def report_to(self, findings: ArchiveFindings) -> None:
        if self.encoding:
            findings.notes.append(encoding_note(self.name, self.encoding))
        findings.leave_out_links(self.name, self.links)


def unpack_tar(
    archive: Path | PartFiles, target: Path, max_bytes: int, name: str, findings: ArchiveFindings | None = None
) -> int:
    """Unpacks a tar into `target`. Hard links become the file that they link to; other links are left out.

    Args:
        max_bytes: the most bytes that all files together may have.
        name: the name of the tar in sentences.
        findings: takes what was left out or guessed.

    Returns:
        How many files it had.

    Raises:
        Invalid: it is empty, damaged, too large, or has devices or names that lead out of the folder.
    """
    parts = as_parts(archive)
    budget = min(max_bytes, shutil.disk_usage(target).free - _RESERVED_BYTES)
    unpacking = _Unpacking(TargetFolder(target), name, budget)
    try:
        with parts.open() as raw:
            packing = compression(raw.read(6))
            raw.seek(0)
            if not packing:
                _check_entry_count(raw, name)
                raw.seek(0)
            metered = Metered(decompressed(raw, packing), allowed_bytes(parts.size), name)
            with _opened(metered, "r|") as opened:
                count = _write_all(opened, unpacking)
    except (tarfile.TarError, *UNPACKABLE) as error:
        if is_disk_error(error):
            raise
        sentence = f"{name} is not a tar, or it is damaged. Pack the folder again and upload it."
        raise DamagedArchive(sentence) from error
    if not count and unpacking.links:
        raise Invalid(f"{name} holds only links ({unpacking.links[0][:80]}). Pack the files themselves.")
    if not count:
        raise Invalid(f"{name} is empty. Pack one folder for each class, with its videos inside.")
    if findings is not None:
        unpacking.report_to(findings)
    return count


def _opened(source: Any, mode: Any) -> tarfile.TarFile:
    # Blocks of zeros inside are passed over: tars that were concatenated have them between their files.
    return tarfile.open(fileobj=source, mode=mode, tarinfo=_Entry, encoding="utf-8", ignore_zeros=True)


def _check_entry_count(raw: BinaryIO, name: str) -> None:
    """Counts the headers first, which takes seconds, so that no disk is filled with files that are deleted again."""
    with _opened(raw, "r:") as opened:
        for number, _ in enumerate(opened):
            _forget_entries(opened)
            if number >= MAX_ENTRIES:
                raise _too_many(name)


def _forget_entries(opened: Any) -> None:
    """Drops the list of entries that tarfile extends while it reads: of a large archive it would fill the memory."""
    opened.members = []  # an attribute of TarFile that its type stub lacks


def _too_many(name: str) -> Invalid:
    return Invalid(
        f"{name} holds more than {MAX_ENTRIES:,} files. Make several archives of some folders each, and add them "
        "together."
    )


def _write_all(opened: tarfile.TarFile, unpacking: _Unpacking) -> int:
    count = entries = 0
    for entry in opened:
        entries += 1
        if entries > MAX_ENTRIES:
            raise _too_many(unpacking.name)
        _forget_entries(opened)
        file_name = unpacking.decode(entry.name)
        if entry.isdir() or is_system_file(file_name):
            continue
        _check(entry, file_name, unpacking.name)
        if entry.issym() or (entry.islnk() and _key(entry.linkname) not in unpacking.written):
            unpacking.links.append(file_name)
            continue
        _write(opened, entry, file_name, unpacking)
        count += 1
    return count


def _key(name: str) -> str:
    """The name of an entry for comparisons: `./a.mp4` and `a.mp4` are the same."""
    return posixpath.normpath(name)


def _check(entry: tarfile.TarInfo, file_name: str, name: str) -> None:
    parts = file_name.replace("\\", "/").split("/")
    if file_name.startswith(("/", "\\")) or ".." in parts or ":" in parts[0]:
        raise Invalid(f"{name} holds a name that points outside its folder ({file_name[:80]}). Pack it again.")
    is_link = entry.issym() or entry.islnk()
    if not is_link and (not entry.isreg() or entry.issparse()):
        raise Invalid(f"{name} holds something that is no plain file ({file_name[:80]}). Pack only videos.")


def _write(opened: tarfile.TarFile, entry: tarfile.TarInfo, file_name: str, unpacking: _Unpacking) -> None:
    path = unpacking.target.path_for(file_name)
    if path is None:
        raise Invalid(f"{unpacking.name} holds a name that points outside its folder. Pack it again.")
    if entry.islnk():
        os.link(unpacking.written[_key(entry.linkname)], path)
    else:
        source = opened.extractfile(entry)
        if source is None:
            raise tarfile.ReadError("a file without content")
        with path.open("wb") as file:
            while block := source.read(_BLOCK):
                unpacking.budget -= len(block)
                if unpacking.budget < 0:
                    raise Invalid(f"{unpacking.name} does not fit on the disk.")
                file.write(block)
    unpacking.written[_key(entry.name)] = path
