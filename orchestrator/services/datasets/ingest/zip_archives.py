"""Unpacks untrusted zip archives: no path traversal, no decompression bombs."""

import lzma
import shutil
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from orchestrator.domain import formatting
from orchestrator.domain.errors import Invalid
from orchestrator.services.datasets.files import is_system_file
from orchestrator.services.datasets.ingest.archive_names import guess_encoding
from orchestrator.services.datasets.ingest.archive_notes import ArchiveFindings, encoding_note
from orchestrator.services.datasets.ingest.archive_parts import PartFiles, as_parts
from orchestrator.services.datasets.ingest.decompression import (
    ALWAYS_ALLOWED_BYTES,
    MAX_RATIO,
    DamagedArchive,
    is_disk_error,
)
from orchestrator.services.datasets.ingest.deflate64 import DEFLATE64, deflate64_blocks
from orchestrator.services.datasets.ingest.target_folder import TargetFolder

MAX_ENTRIES = 100_000
_DAMAGED = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    NotImplementedError,
    ValueError,
    struct.error,
    IndexError,
)
_BLOCK = 2**20
_RESERVED_BYTES = 256 * 2**20
"""Disk space that stays free, for the database and logs."""
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA, DEFLATE64)
_METHOD_TITLES = {93: "zstd", 95: "xz", 98: "PPMd"}
_UTF8_FLAG, _UNICODE_PATH = 0x800, 0x7075
_END_MARK, _END_BYTES, _MAX_COMMENT_BYTES = b"PK\x05\x06", 22, 2**16


def unpack(
    archive: Path | PartFiles, target: Path, max_bytes: int, name: str, findings: ArchiveFindings | None = None
) -> int:
    """Unpacks a zip into `target`.

    Args:
        max_bytes: the most bytes that all files together may have.
        name: the name of the zip in sentences.
        findings: takes what was left out or guessed.

    Returns:
        How many files it had.

    Raises:
        Invalid: it is empty, damaged, encrypted, too large, or has names that lead out of the folder.
    """
    parts, has_index = as_parts(archive), False
    try:
        with parts.open() as file, zipfile.ZipFile(file) as opened:
            has_index = True
            _locate_in_parts(opened, file, parts, name)
            found = ArchiveFindings()
            entries = _files(opened, name, found)
            _check(entries, parts.size, max_bytes, name)
            budget = min(max_bytes, shutil.disk_usage(target).free - _RESERVED_BYTES)
            folder = TargetFolder(target)
            for entry in entries:
                budget -= _write(_blocks(opened, file, entry), entry, folder, budget, name)
            if findings is not None:
                findings.add(found)
            return len(entries)
    except (*_DAMAGED, OSError) as error:
        if is_disk_error(error):
            raise
        what = "is damaged and cannot be unpacked" if has_index else "is not a zip, or it is damaged"
        raise DamagedArchive(f"{name} {what}. Zip the folder again and upload it.") from error


def _locate_in_parts(opened: zipfile.ZipFile, file: BinaryIO, parts: PartFiles, name: str) -> None:
    """Corrects the offsets of a zip with several disks (`.z01` and `.zip`), which count from each disk's start."""
    file.seek(max(0, parts.size - _END_BYTES - _MAX_COMMENT_BYTES))
    tail = file.read()
    end = tail[tail.rfind(_END_MARK) :]
    disk, index_disk = struct.unpack("<HH", end[4:8])
    if disk in (0, 0xFFFF):
        return
    if len(parts.paths) != disk + 1:
        stem = name.removesuffix(".zip")
        raise Invalid(
            f"{name} is the last of {disk + 1} parts of one archive. Upload all parts together ({stem}.z01 and so on), "
            f"or join them first: zip -s 0 {name} --out joined.zip"
        )
    for entry in opened.infolist():
        entry.header_offset += parts.starts[entry.volume] - parts.starts[index_disk]


def _files(opened: zipfile.ZipFile, name: str, findings: ArchiveFindings) -> list[zipfile.ZipInfo]:
    """The entries that are files, their names decoded; links are left out."""
    findings.notes += _decode_names(opened, name)
    entries = [entry for entry in opened.infolist() if not entry.is_dir() and not is_system_file(entry.filename)]
    links = [entry.filename for entry in entries if stat.S_ISLNK(entry.external_attr >> 16)]
    if links:
        if len(links) == len(entries):
            raise Invalid(f"{name} holds only links ({links[0][:80]}). Zip the files themselves.")
        findings.leave_out_links(name, links)
        entries = [entry for entry in entries if not stat.S_ISLNK(entry.external_attr >> 16)]
    return entries


def _decode_names(opened: zipfile.ZipFile, name: str) -> list[str]:
    """Gives the entries their real names: zipfile reads every name without the UTF-8 flag as cp437."""
    unknown: dict[int, bytes] = {}
    for number, entry in enumerate(opened.infolist()):
        if entry.flag_bits & _UTF8_FLAG or entry.orig_filename.isascii():
            continue
        raw = entry.orig_filename.encode("cp437")
        if stated := _unicode_path(entry.extra, raw):
            entry.filename = stated
        else:
            unknown[number] = raw
    if not unknown:
        return []
    encoding = guess_encoding(list(unknown.values()))
    for number, raw in unknown.items():
        opened.infolist()[number].filename = raw.decode(encoding, "replace").partition("\0")[0]
    return [] if encoding == "utf-8" else [encoding_note(name, encoding)]


def _unicode_path(extra: bytes, raw: bytes) -> str:
    """The name in Info-ZIP's extra field, where it belongs to this name."""
    while len(extra) >= 4:
        kind, size = struct.unpack("<HH", extra[:4])
        field, extra = extra[4 : 4 + size], extra[4 + size :]
        if kind == _UNICODE_PATH and len(field) > 5 and struct.unpack("<I", field[1:5])[0] == zlib.crc32(raw):
            try:
                return field[5:].decode().partition("\0")[0]
            except UnicodeDecodeError:
                return ""
    return ""


def _check(entries: list[zipfile.ZipInfo], packed: int, max_bytes: int, name: str) -> None:
    if not entries:
        raise Invalid(f"{name} is empty. Zip one folder for each class, with its videos inside.")
    if len(entries) > MAX_ENTRIES:
        raise Invalid(
            f"{name} holds {len(entries):,} files; an archive may have {MAX_ENTRIES:,}. Make several zips of some "
            "folders each, and add them together."
        )
    for entry in entries:
        parts = entry.filename.replace("\\", "/").split("/")
        if entry.filename.startswith(("/", "\\")) or ".." in parts or ":" in parts[0]:
            raise Invalid(f"{name} holds a name that points outside its folder ({entry.filename[:80]}). Zip it again.")
        if entry.flag_bits & 1:
            raise Invalid(f"{name} is protected with a password. Zip it without one.")
        if entry.compress_type not in _METHODS:
            raise Invalid(_unknown_method(entry.compress_type, name))
    total = sum(entry.file_size for entry in entries)
    if total > max_bytes or (total > ALWAYS_ALLOWED_BYTES and total > MAX_RATIO * packed):
        raise Invalid(
            f"{name} unpacks to {formatting.size(total)}, far more than its own size allows. Zip only videos."
        )


def _unknown_method(method: int, name: str) -> str:
    title = _METHOD_TITLES.get(method, f"method {method}")
    return (
        f"{name} is compressed with {title}, which is not read here. The file is not damaged: unpack it, then "
        "pack the folder with 7-Zip as a zip with the method Deflate, or as tar.gz: tar -czf clips.tar.gz FOLDER"
    )


def _blocks(opened: zipfile.ZipFile, file: BinaryIO, entry: zipfile.ZipInfo) -> Iterator[bytes]:
    if entry.compress_type == DEFLATE64:
        yield from deflate64_blocks(file, entry)
        return
    with opened.open(entry) as source:
        while block := source.read(_BLOCK):
            yield block


def _write(blocks: Iterator[bytes], entry: zipfile.ZipInfo, target: TargetFolder, budget: int, name: str) -> int:
    """Writes one file and counts its bytes, because the sizes in the index may be wrong.

    Returns:
        How many bytes were written.
    """
    path = target.path_for(entry.filename)  # never that of another file, nor that of a link
    if path is None:
        raise Invalid(f"{name} holds a name that points outside its folder. Zip it again.")
    written = 0
    with path.open("wb") as file:
        for block in blocks:
            written += len(block)
            if written > entry.file_size or written > budget:
                raise Invalid(f"{name} does not fit on the disk, or its index has wrong sizes.")
            file.write(block)
    return written
