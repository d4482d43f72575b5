"""Writes the bytes of an upload: appended at the announced offset, by one sender at a time, never past its length."""

import contextlib
import fcntl
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from orchestrator.domain.errors import AppError, Conflict, TooLarge
from orchestrator.settings import get_settings

_WRITE_BYTES = 2**17
"""Bytes per write, as in `cp`. For larger writes the kernel uses larger pages, which a virtual machine must first get
back from its host: on a machine that was idle before, that is five times slower."""


class Busy(AppError):
    """Another connection is sending this upload; tus clients wait and try again."""

    status = 423


class PartFile:
    """An open `.part` file under a lock that ends with the process, so that a crash leaves nothing locked."""

    def __init__(self, path: Path, offset: int, length: int) -> None:
        self._path, self._offset, self._length = path, offset, length
        self._file: BinaryIO | None = None
        self.size = offset

    def __enter__(self) -> Self:
        """Opens and locks the file.

        Raises:
            Busy: another connection sends it. Conflict: the offset is not where the last byte ended.
        """
        try:
            # "r+b" and not "ab": a file that was cancelled a moment ago must not come back.
            self._file = self._path.open("r+b", buffering=0)
        except FileNotFoundError as error:
            raise Conflict("The bytes of this upload are no longer there. Start it again.") from error
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
        """Appends the pieces, without joining them first.

        Raises:
            TooLarge: there are more bytes than announced. OSError: the disk is full.
        """
        assert self._file is not None
        count = sum(map(len, pieces))
        if self.size + count > self._length:
            raise TooLarge(f"More bytes came than the {self._length} that were announced. Start the upload again.")
        for piece in pieces:
            rest = memoryview(piece)
            while rest:  # a write to a nearly full disk may be partial
                written = os.write(self._file.fileno(), rest[:_WRITE_BYTES])
                rest, self.size = rest[written:], self.size + written

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()


def delete_upload_files(upload_ids: Iterable[str]) -> None:
    """Deletes the files of these uploads; those that do not exist are skipped."""
    for upload_id in upload_ids:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(upload_path(upload_id))


def upload_path(upload_id: str) -> Path:
    """The file that holds the bytes of an upload."""
    return get_settings().data_dir / "uploads" / f"{upload_id}.part"
