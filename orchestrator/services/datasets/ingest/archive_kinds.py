"""Which archive a file is: the bytes at its front decide, its ending only where they say nothing."""

import zipfile
from enum import StrEnum
from typing import BinaryIO

from orchestrator.domain.errors import Invalid
from orchestrator.services.datasets.files import VIDEO_ENDINGS, ending_of
from orchestrator.services.datasets.ingest.archive_parts import PartFiles
from orchestrator.services.datasets.ingest.decompression import (
    COMPRESSED_ENDINGS,
    UNPACKABLE,
    compression,
    decompressed,
)
from orchestrator.services.datasets.ingest.layouts.tree import TEXT_ENDINGS

TAR_ENDINGS = (".tar", ".tar.gz", ".tgz", ".tar.xz", ".txz", ".tar.bz2", ".tbz2", ".tbz", ".tar.zst", ".tzst")
_UNSUPPORTED_ENDINGS = (".7z", ".rar", ".lz4", ".lz", ".z")
_ZIP_MARKS = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08", b"PK00PK\x03\x04")
_DOCUMENTS = frozenset(
    {".xlsx", ".xlsm", ".ods", ".docx", ".odt", ".pptx", ".epub"}
    | {".npz", ".pt", ".pth", ".ckpt", ".bin", ".keras", ".jar", ".whl"}
)
"""Endings of files that are zips inside, but no archives to their users."""
_PICTURES_AND_SOUND = frozenset({".jpg", ".jpeg", ".png", ".webp", ".npy", ".wav", ".mp3", ".cls"})
_NO_ARCHIVES = VIDEO_ENDINGS | TEXT_ENDINGS | _DOCUMENTS | _PICTURES_AND_SOUND
_UNSUPPORTED = {
    b"7z\xbc\xaf\x27\x1c": "a 7z archive",
    b"Rar!\x1a\x07": "a rar archive",
    b"\x04\x22\x4d\x18": "packed with lz4",
    b"LZIP": "packed with lzip",
    b"\x1f\x9d": "packed with compress",
}
_TAR_MARK_END = 265


class ArchiveKind(StrEnum):
    ZIP = "zip"
    TAR = "tar"
    """Plain or compressed."""
    COMPRESSED = "compressed"
    """A single file, like `metadata.csv.gz`."""


def archive_kind(parts: PartFiles, name: str) -> ArchiveKind | None:
    """The kind of archive that a file is; None for other files.

    Raises:
        Invalid: it is an archive of a kind that is not unpacked.
    """
    lower = name.lower()
    if ending_of(lower) in _NO_ARCHIVES:
        return None
    with parts.open() as file:
        head = file.read(_TAR_MARK_END)
        if head.startswith(_ZIP_MARKS):
            return ArchiveKind.ZIP
        if _is_tar(head):
            return ArchiveKind.TAR
        if packing := compression(head):
            is_tar = lower.endswith(TAR_ENDINGS) or _is_tar(_first_bytes(file, packing))
            return ArchiveKind.TAR if is_tar else ArchiveKind.COMPRESSED
        _refuse_unsupported(head, name)
        if lower.endswith(".zip"):
            return ArchiveKind.ZIP
        if lower.endswith(TAR_ENDINGS):
            return ArchiveKind.TAR
        return ArchiveKind.ZIP if _has_zip_behind_a_program(file, head) else None


def may_be_archive(name: str) -> bool:
    """Whether a file inside an archive is looked into, by its ending: opening 100,000 files takes seconds."""
    lower = name.lower()
    return lower.endswith((".zip", *TAR_ENDINGS, *COMPRESSED_ENDINGS, *_UNSUPPORTED_ENDINGS))


def _is_tar(head: bytes) -> bool:
    return head[257:262] == b"ustar"


def _first_bytes(file: BinaryIO, packing: str) -> bytes:
    file.seek(0)
    try:
        return decompressed(file, packing).read(_TAR_MARK_END)
    except UNPACKABLE:
        return b""  # damaged: reported when it is unpacked


def _refuse_unsupported(head: bytes, name: str) -> None:
    for mark, what in _UNSUPPORTED.items():
        if head.startswith(mark):
            raise Invalid(f"{name} is {what}, which is not unpacked here. Make it a zip or a tar.gz.")


def _has_zip_behind_a_program(file: BinaryIO, head: bytes) -> bool:
    """Whether it is a zip that unpacks itself."""
    if not head.startswith((b"MZ", b"\x7fELF", b"#!")):
        return False
    try:
        return zipfile.is_zipfile(file)
    except (OSError, ValueError):
        return False
