"""Keeps the caches under a size: what was not used for longest goes first, and never what this run uses."""

import errno
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

_SLACK = 0.9
"""Share of the limit that is left after clearing up, so that not every file starts it again."""
_STALE_S = 24 * 3600.0
"""Age from which a half-written file has lost its writer."""
_CACHED = (".npy", ".safetensors")
_REFUSED = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES)


class CacheBudget:
    """The room of one run in `folders`. Files that it marks as used are kept until the next run."""

    def __init__(self, limit: int, *folders: Path) -> None:
        """`limit`: bytes of all cached files together; 0: no limit."""
        self._folders, self._limit = folders, limit
        self._begun = time.time()
        self._held: int | None = None
        self._lock = threading.Lock()

    def use(self, path: Path) -> None:
        """Marks a file as used now."""
        if self._limit:
            try:
                os.utime(path)
            except OSError:
                return  # another run took it away, or the disk may only be read

    def put(self, path: Path, size: int, write: Callable[[BinaryIO], object]) -> bool:
        """Writes a file of about `size` bytes whole; False where the limit or the disk refuses it."""
        if not self.take(size):
            return False
        part = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}.part")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with part.open("wb") as file:
                write(file)
            os.replace(part, path)
        except OSError as error:
            part.unlink(missing_ok=True)
            # numpy tells of a write that was cut short (the disk filled up in its middle) without a number.
            if error.errno not in (None, *_REFUSED):
                raise
            return False
        return True

    def take(self, size: int) -> bool:
        """Makes room for `size` bytes; False where this run alone fills the limit."""
        if not self._limit:
            return True
        with self._lock:
            held = self._scan_or_known()
            if held + size > self._limit:
                held = self._clear(size)
            fits = held + size <= self._limit
            self._held = held + size if fits else held
        return fits

    def _scan_or_known(self) -> int:
        if self._held is None:
            self._held = sum(size for _, size, _ in self._files())
        return self._held

    def _files(self) -> list[tuple[float, int, Path]]:
        """Last use, size and path of each cached file; what a dead writer left half done is taken away."""
        found: list[tuple[float, int, Path]] = []
        for path in (path for folder in self._folders for path in folder.rglob("*")):
            try:
                facts = path.stat()
            except OSError:
                continue
            if path.suffix == ".part" and facts.st_mtime < time.time() - _STALE_S:
                path.unlink(missing_ok=True)
            elif path.suffix in _CACHED:
                found.append((facts.st_mtime, facts.st_size, path))
        return found

    def _clear(self, size: int) -> int:
        """Removes the longest unused files of earlier runs; returns the bytes that stay."""
        files = sorted(self._files())
        held = sum(bytes_ for _, bytes_, _ in files)
        for used, bytes_, path in files:
            if held + size <= self._limit * _SLACK or used >= self._begun:
                break
            # A run that has it mapped keeps its pages: on Linux the file goes when the last reader does.
            path.unlink(missing_ok=True)
            held -= bytes_
        return held
