"""What has arrived of many objects, whole or half: each lies under a name that says which object in which version."""

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

_HALF = ".half"


@dataclass(frozen=True, slots=True)
class Object:
    """One file of a bucket or a repository, as its list names it.

    Attributes:
        key: by what the store knows it. name: its path for the dataset.
        version: the store's word for this very content (an ETag, a generation, a blob id); "" when it has none.
    """

    key: str
    name: str
    size: int
    version: str


class Kept:
    """The objects of one source in `folder`.

    Args:
        source: what the folder is of, by the dataset's source. place: which store it is (its endpoint, its account),
            since two may use one name and one version for different bytes.
    """

    def __init__(self, folder: Path, source: str, place: Sequence[str]) -> None:
        self._folder, self._place = folder, place
        (folder / PART_NOTE).write_text(json.dumps({"source": source}))

    def sort_out(self, wanted: Sequence[Object]) -> int:
        """Deletes what belongs to none of these; how many bytes are here of those that do."""
        names = {self.path(one).name: one.size for one in wanted if one.version}
        here = 0
        for entry in list(os.scandir(self._folder)):
            if entry.name.startswith(OBJECT_PREFIX):
                whole = names.get(entry.name.removesuffix(_HALF), -1)
                size = entry.stat().st_size
                if size == whole or (size < whole and entry.name.endswith(_HALF)):
                    here += size
                else:
                    os.unlink(entry.path)
        return here

    def path(self, one: Object) -> Path:
        """Where it lies once it is whole."""
        said = json.dumps([*self._place, one.key, one.size, one.version])
        return self._folder / (OBJECT_PREFIX + hashlib.sha256(said.encode()).hexdigest()[:40])

    def half(self, one: Object, progress: Progress) -> "Half":
        """To write behind what has arrived of it."""
        path = self.path(one)
        return Half(path.with_name(path.name + _HALF), one, progress)

    def forget(self) -> None:
        """Deletes everything."""
        self.sort_out([])


class Half:
    """An object that arrives, open and locked: a child of a worker that fell silent may still write to the same."""

    def __init__(self, path: Path, one: Object, progress: Progress) -> None:
        self._path, self._one, self._progress = path, one, progress
        self.size = 0

    def __enter__(self) -> Self:
        self._file = self._path.open("ab")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.close()
            self._progress.take_back(self._path.stat().st_size)
            self._path.unlink()
            self._file = self._path.open("ab")
            fcntl.flock(self._file, fcntl.LOCK_EX)
        self.size = os.fstat(self._file.fileno()).st_size
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._file.close()
        if kind is not None and not self._one.version:
            self._path.unlink(missing_ok=True)  # nothing says tomorrow that it is still the same object

    def restart(self) -> None:
        """The store sends it from its first byte, whatever was asked for."""
        self._file.truncate(0)
        self._progress.take_back(self.size)
        self.size = 0

    def write(self, block: bytes) -> None:
        """Adds what came.

        Raises:
            Problem: too much, too slow, or more than the object has.
        """
        if self.size + len(block) > self._one.size:
            raise Problem(
                f"{self._one.name} is larger than its list says. "
                "If it is stored there compressed (gzip), store it as it is; else try again later."
            )
        self._progress.add(len(block))
        self._file.write(block)
        self.size += len(block)

    def settle(self, path: Path) -> None:
        """It is whole."""
        self._file.flush()
        os.replace(self._path, path)
