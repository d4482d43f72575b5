"""The one writer of an upload's bytes: appends where the last byte ended, one sender at a time, never past the end."""

import fcntl
import os
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from orchestrator.domain.errors import AppError, Conflict, TooLarge
from orchestrator.settings import get_settings

_WRITTEN_AT_ONCE = 2**17
"""Bytes, as `cp` does it. For a larger write the kernel takes larger pages, which a virtual machine fetches back from
its host first: a fifth of the speed where the machine had been at rest."""


class Busy(AppError):
    """Another connection sends this very upload; tus clients wait and try again."""

    status = 423


class PartFile:
    """An open `.part` file under a lock that ends with the process, so that a crash locks nobody out."""

    def __init__(self, path: Path, offset: int, length: int) -> None:
        self._path, self._offset, self._length = path, offset, length
        self._file: BinaryIO | None = None
        self.size = offset

    def __enter__(self) -> Self:
        """Opens and locks.

        Raises:
            Busy: somebody else sends it. Conflict: the bytes do not continue where the last ones ended.
        """
        try:
            # "r+b" and not "ab": a file that was cancelled a moment ago must not come back.
            self._file = self._path.open("r+b", buffering=0)
        except FileNotFoundError as error:
            raise Conflict("The bytes of this upload are gone. Start it again.") from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._file.close()
            raise Busy("This upload is being sent by another connection. Try again in a moment.") from error
        self.size = self._file.seek(0, os.SEEK_END)
        if self.size != self._offset:
            self._file.close()
            raise Conflict(
                f"{self.size} bytes have arrived, not {self._offset}. Ask for the offset and go on from there."
            )
        return self

    def write(self, pieces: Sequence[bytes]) -> None:
        """Appends pieces as they came, without joining them first.

        Raises:
            TooLarge: more bytes than announced. OSError: the disk is full.
        """
        assert self._file is not None
        count = sum(map(len, pieces))
        if self.size + count > self._length:
            raise TooLarge(f"More bytes came than the {self._length} that were announced. Start the upload again.")
        for piece in pieces:
            rest = memoryview(piece)
            while rest:  # a disk that is nearly full takes a part
                written = os.write(self._file.fileno(), rest[:_WRITTEN_AT_ONCE])
                rest, self.size = rest[written:], self.size + written

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._file is not None:
            self._file.close()


def upload_path(upload_id: str) -> Path:
    """The bytes of an upload, from its first to its last."""
    return get_settings().data_dir / "uploads" / f"{upload_id}.part"
