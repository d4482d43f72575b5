"""Keeps the caches below a limit: evicts the least recently used files, and never those of this run."""

import errno
import os
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

_SLACK = 0.9
"""Share of the limit that is in use after an eviction, so that not every new file causes another one."""
_STALE_S = 24 * 3600.0
"""Age from which a partly written file is taken for one whose writer has died."""
_CACHED = (".npy", ".safetensors")
_REFUSED = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES)


class CacheBudget:
    """What one run may use of the space of `folders`. Files that it marks as used are kept until the next run."""

    def __init__(self, limit: int, *folders: Path) -> None:
        """`limit`: bytes of all cached files together; 0: no limit."""
        self._folders, self._limit = folders, limit
        self._started = time.time()
        self._used: int | None = None
        """Bytes of all cached files; None: not counted yet."""
        self._lock = threading.Lock()

    def use(self, path: Path) -> None:
        """Marks a file as used now."""
        if self._limit:
            try:
                os.utime(path)
            except OSError:
                return  # another run evicted it, or the disk is read-only

    def use_again(self, path: Path) -> None:
        """Marks a file as used now where this run has marked it before; other files may still be evicted."""
        if self._limit:
            try:
                if path.stat().st_mtime >= self._started:
                    os.utime(path)
            except OSError:
                return

    def available_bytes(self) -> int:
        """Bytes that this run may still write: what earlier runs left can be evicted, its own files stay."""
        files = self._files()
        disk = _free_bytes(self._folders[0])
        if not self._limit:
            return disk
        own = sum(size for last_use, size, _ in files if last_use >= self._started)
        others = sum(size for last_use, size, _ in files if last_use < self._started)
        return max(0, min(self._limit - own, disk + others))

    def put(self, path: Path, size: int, write: Callable[[BinaryIO], object]) -> bool:
        """Writes a file of about `size` bytes atomically; False where the limit or the disk refuses it."""
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
            # numpy reports a short write (the disk became full) as an OSError without errno.
            if error.errno not in (None, *_REFUSED):
                raise
            return False
        return True

    def take(self, size: int) -> bool:
        """Reserves `size` bytes, evicting files if needed; False where this run alone fills the limit."""
        if not self._limit:
            return True
        with self._lock:
            used = self._used_bytes()
            if used + size > self._limit:
                used = self._evict(size)
            fits = used + size <= self._limit
            self._used = used + size if fits else used
        return fits

    def _used_bytes(self) -> int:
        if self._used is None:
            self._used = sum(size for _, size, _ in self._files())
        return self._used

    def _files(self) -> list[tuple[float, int, Path]]:
        """Last use, size and path of each cached file. Deletes what dead writers left."""
        files: list[tuple[float, int, Path]] = []
        for path in (path for folder in self._folders for path in folder.rglob("*")):
            try:
                stat = path.stat()
            except OSError:
                continue
            if path.suffix == ".part" and stat.st_mtime < time.time() - _STALE_S:
                path.unlink(missing_ok=True)
            elif path.suffix in _CACHED:
                files.append((stat.st_mtime, stat.st_size, path))
        return files

    def _evict(self, size: int) -> int:
        """Deletes the least recently used files of earlier runs until `size` bytes fit; returns the bytes that stay."""
        files = sorted(self._files())
        remaining = sum(file_size for _, file_size, _ in files)
        for last_use, file_size, path in files:
            if remaining + size <= self._limit * _SLACK or last_use >= self._started:
                break
            # A run that has mapped it keeps its pages: Linux frees a file when its last user closes it.
            path.unlink(missing_ok=True)
            remaining -= file_size
        return remaining


def _free_bytes(folder: Path) -> int:
    """Free bytes of the disk that holds the folder, or will hold it."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return shutil.disk_usage(folder).free
