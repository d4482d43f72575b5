"""Decompresses gzip, bzip2, xz and zstd streams of untrusted files, with limits on bytes and memory."""

import bz2
import gzip
import io
import lzma
import sys
import zlib
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

from orchestrator.domain.errors import Invalid
from orchestrator.services.datasets.ingest.archive_parts import PartFiles

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

MAX_RATIO = 50
ALWAYS_ALLOWED_BYTES = 2**20
COMPRESSED_ENDINGS = (".gz", ".bz2", ".xz", ".zst")
UNPACKABLE = (
    EOFError,
    zlib.error,
    lzma.LZMAError,
    zstd.ZstdError,
    gzip.BadGzipFile,
    ValueError,
    OverflowError,
    OSError,
)
"""Errors of damaged streams; bz2 and gzip report damage as an OSError without errno, see `is_disk_error`."""
_MARKS = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ\x00": "xz", b"\x28\xb5\x2f\xfd": "zstd"}
_XZ_MEMORY_BYTES = 256 * 2**20
_ZSTD_WINDOW_LOG = 27
"""128 MB: what `zstd --ultra` uses; `--long=31` would ask for 2 GB."""
_BLOCK = 2**18


class DamagedArchive(Invalid):
    """An archive whose bytes are damaged or incomplete."""


def compression(head: bytes) -> str:
    """The compression of a file by its first bytes: "gzip", "bzip2", "xz", "zstd", or ""."""
    return next((packing for mark, packing in _MARKS.items() if head.startswith(mark)), "")


def decompressed(file: BinaryIO, packing: str) -> IO[bytes]:
    """A stream of the decompressed bytes."""
    if packing == "gzip":
        return cast(IO[bytes], gzip.GzipFile(fileobj=file))
    if packing == "bzip2":
        return cast(IO[bytes], bz2.BZ2File(file))
    if packing == "zstd":
        window = {int(zstd.DecompressionParameter.window_log_max): _ZSTD_WINDOW_LOG}
        return cast(IO[bytes], zstd.ZstdFile(file, options=window))
    return cast(IO[bytes], io.BufferedReader(_XzReader(file), _BLOCK)) if packing == "xz" else file


def is_disk_error(error: BaseException) -> bool:
    """Whether an error comes from the disk and not from the file's content: EINVAL is a seek to a wrong offset."""
    return isinstance(error, OSError) and error.errno not in (None, 22)


class Metered:
    """Counts the decompressed bytes and stops a decompression bomb at its limit."""

    def __init__(self, source: IO[bytes], limit: int, name: str) -> None:
        self._source, self._left, self._name = source, limit, name

    def read(self, size: int = -1) -> bytes:
        block = self._source.read(size)
        self._left -= len(block)
        if self._left < 0:
            raise Invalid(f"{self._name} unpacks to far more than its own size allows. Pack only videos.")
        return block


def allowed_bytes(packed: int) -> int:
    """The most bytes to which an archive of this size may unpack."""
    return max(ALWAYS_ALLOWED_BYTES, MAX_RATIO * packed)


def unpack_single(archive: Path | PartFiles, target: Path, max_bytes: int, name: str) -> int:
    """Decompresses a single file, like `metadata.csv.gz`, into the new file `target`.

    Returns:
        How many bytes were written.

    Raises:
        Invalid: it is damaged or too large.
    """
    parts = archive if isinstance(archive, PartFiles) else PartFiles([archive])
    written = 0
    try:
        with parts.open() as raw, target.open("xb") as file:
            packing = compression(raw.read(6))
            raw.seek(0)
            source = Metered(decompressed(raw, packing), min(max_bytes, allowed_bytes(parts.size)), name)
            while block := source.read(_BLOCK):
                file.write(block)
                written += len(block)
    except UNPACKABLE as error:
        if is_disk_error(error):
            raise
        raise DamagedArchive(
            f"{name} is damaged and cannot be decompressed. Compress it again and upload it."
        ) from error
    return written


class _XzReader(io.RawIOBase):
    """Like lzma.LZMAFile, with a limit on memory: a header may ask for gigabytes."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._decoder = file, self._new_decoder()

    def _new_decoder(self) -> Any:
        return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_XZ_MEMORY_BYTES)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        while True:
            if self._decoder.eof:
                rest = (self._decoder.unused_data or self._file.read(_BLOCK)).lstrip(b"\0")
                if not rest:
                    return 0
                self._decoder, data = self._new_decoder(), rest
            else:
                data = self._file.read(_BLOCK) if self._decoder.needs_input else b""
                if self._decoder.needs_input and not data:
                    raise EOFError("the xz stream is cut off")
            block = self._decoder.decompress(data, len(buffer))
            if block:
                buffer[: len(block)] = block
                return len(block)
