"""The downloaded files of many objects, complete or not: each file's name contains its object and its version."""

import fcntl
import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from jobs.fetch.report import Problem, Progress
from orchestrator.services.datasets.files import OBJECT_PREFIX, PART_NOTE

_PARTIAL = ".half"


@dataclass(frozen=True, slots=True)
class RemoteObject:
    """One file of a bucket or a repository, as its list names it.

    Attributes:
        key: what the store calls it. name: its path in the dataset.
        version: the store's id of this content (an ETag, a generation, a blob id); "" if it has none.
    """

    key: str
    name: str
    size: int
    version: str


class ObjectFolder:
    """The downloaded objects of one source.

    Args:
        source: the bucket or repository, as in the dataset's source.
        store: which server and account, since two may use one name and one version for different bytes.
    """

    def __init__(self, folder: Path, source: str, store: Sequence[str]) -> None:
        self._folder, self._store = folder, store
        (folder / PART_NOTE).write_text(json.dumps({"source": source}))

    def delete_others(self, objects: Sequence[RemoteObject]) -> int:
        """Deletes what belongs to none of these objects; how many bytes of them are here."""
        sizes = {self.path(remote).name: remote.size for remote in objects if remote.version}
        here = 0
        for entry in list(os.scandir(self._folder)):
            if entry.name.startswith(OBJECT_PREFIX):
                expected = sizes.get(entry.name.removesuffix(_PARTIAL), -1)
                size = entry.stat().st_size
                if size == expected or (size < expected and entry.name.endswith(_PARTIAL)):
                    here += size
                else:
                    os.unlink(entry.path)
        return here

    def delete_all(self) -> None:
        self.delete_others([])

    def path(self, remote: RemoteObject) -> Path:
        """Where the object is once it is complete."""
        identity = json.dumps([*self._store, remote.key, remote.size, remote.version])
        return self._folder / (OBJECT_PREFIX + hashlib.sha256(identity.encode()).hexdigest()[:40])

    def partial(self, remote: RemoteObject, progress: Progress) -> "PartialObject":
        """The object's file, to append what is missing."""
        path = self.path(remote)
        return PartialObject(path.with_name(path.name + _PARTIAL), remote, progress)


class PartialObject:
    """An object that is being downloaded, open and locked: a process of a lost worker may still write to the same.

    Attributes:
        size: bytes that are here.
    """

    def __init__(self, path: Path, remote: RemoteObject, progress: Progress) -> None:
        self._path, self._remote, self._progress = path, remote, progress
        self.size = 0

    def __enter__(self) -> Self:
        self._file = self._path.open("ab")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.close()
            self._progress.subtract(self._path.stat().st_size)
            self._path.unlink()
            self._file = self._path.open("ab")
            fcntl.flock(self._file, fcntl.LOCK_EX)
        self.size = os.fstat(self._file.fileno()).st_size
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._file.close()
        if kind is not None and not self._remote.version:
            self._path.unlink(missing_ok=True)  # a later attempt could not tell whether it is still the same object

    def restart(self) -> None:
        """Discards what has arrived: the store sends the object from its first byte instead of the requested one."""
        self._file.truncate(0)
        self._progress.subtract(self.size)
        self.size = 0

    def write(self, block: bytes) -> None:
        """Appends a block.

        Raises:
            Problem: too much, too slow, or more than the object's size.
        """
        if self.size + len(block) > self._remote.size:
            raise Problem(
                f"{self._remote.name} is larger than its list says. "
                "If it is stored there compressed (gzip), store it as it is; else try again later."
            )
        self._progress.add(len(block))
        self._file.write(block)
        self.size += len(block)

    def complete(self, path: Path) -> None:
        """Moves the complete file to `path`."""
        self._file.flush()
        os.replace(self._path, path)
