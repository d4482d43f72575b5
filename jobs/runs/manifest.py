"""The clips of a run in a file of JSON lines, which is written once and read one clip at a time.

The file is named by the hash of its content and shared by all runs of a version of a dataset; each attempt has a hard
link to it in its own folder. A trainer keeps eight bytes of each clip in memory: where its line begins.
"""

import contextlib
import hashlib
import json
import os
import shutil
import time
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields
from operator import attrgetter
from pathlib import Path
from typing import Any, overload

from jobs.runs.clip_spec import ClipSpec
from orchestrator.domain.errors import Invalid

_UNUSED_S = 24 * 3600.0
"""Age from which a file that no attempt links to is deleted."""
_DEFAULTS: dict[str, Any] = {
    "name": "", "frames": 0, "prompt": "", "annotations": {}, "start_s": None, "end_s": None,
    "width": 0, "height": 0, "duration_s": 0.0,
}  # fmt: skip
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_DECODER = json.JSONDecoder()
_NAMES = tuple(field.name for field in fields(ClipSpec))
_VALUES = attrgetter(*_NAMES)
_ABSENT = object()


class ManifestClips(Sequence[ClipSpec]):
    """The clips of a manifest, or some of them; each is read when it is accessed, also in forked processes."""

    def __init__(self, path: Path, offsets: "array[int]", positions: "array[int] | None" = None) -> None:
        """
        Args:
            offsets: where each line begins, and the size of the file.
            positions: numbers of the lines, ascending; None for all.
        """
        self._path, self._offsets, self._positions = path, offsets, positions
        self._file = path.open("rb")

    def subset(self, positions: Iterable[int]) -> "ManifestClips":
        """The clips at these positions, which must ascend."""
        known = self._positions
        chosen = array("q", positions if known is None else (known[position] for position in positions))
        return ManifestClips(self._path, self._offsets, chosen)

    def __reduce__(self) -> tuple[Any, ...]:
        return ManifestClips, (self._path, self._offsets, self._positions)

    def __len__(self) -> int:
        return len(self._offsets) - 1 if self._positions is None else len(self._positions)

    @overload
    def __getitem__(self, index: int) -> ClipSpec: ...
    @overload
    def __getitem__(self, index: slice) -> list[ClipSpec]: ...
    def __getitem__(self, index: int | slice) -> ClipSpec | list[ClipSpec]:
        if isinstance(index, slice):
            return [self[position] for position in range(*index.indices(len(self)))]
        if not -len(self) <= index < len(self):
            raise IndexError(index)
        index %= len(self)
        line = index if self._positions is None else self._positions[index]
        start, end = self._offsets[line], self._offsets[line + 1]
        return _read_line(os.pread(self._file.fileno(), end - start, start))

    def __iter__(self) -> Iterator[ClipSpec]:
        with self._path.open("rb") as file:
            if self._positions is None:
                yield from map(_read_line, file)
                return
            wanted = iter(self._positions)
            following = next(wanted, None)
            for number, line in enumerate(file):
                if following is None:
                    return
                if number == following:
                    yield _read_line(line)
                    following = next(wanted, None)


def read_manifest(path: Path, digest: str) -> ManifestClips:
    """The clips of a manifest.

    Raises:
        Invalid: the file is gone, or its content is not what the digest says.
    """
    found, offsets, size = hashlib.sha256(), array("q", [0]), 0
    with contextlib.suppress(FileNotFoundError), path.open("rb") as file:
        for line in file:
            found.update(line)
            size += len(line)
            offsets.append(size)
    if found.hexdigest() != digest:
        raise Invalid("The list of the clips of this run is missing or damaged. Resume the job to write it again.")
    return ManifestClips(path, offsets)


def write_manifest(clips: Iterable[ClipSpec], folder: Path) -> tuple[Path, str]:
    """Writes the manifest to the folder of all manifests, unless it is there already.

    Returns:
        The file, and the SHA-256 of its content.
    """
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f".{os.getpid()}.{time.monotonic_ns()}.part"
    digest = hashlib.sha256()
    part.touch(mode=0o600)
    try:
        with part.open("wb") as file:
            for clip in clips:
                line = _line_of(clip)
                digest.update(line)
                file.write(line)
        path = folder / f"{digest.hexdigest()}.jsonl"
        if path.exists() and path.stat().st_size == part.stat().st_size:
            os.utime(path)
        else:
            os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
    return path, digest.hexdigest()


def link_manifest(manifest: Path, link: Path) -> None:
    """Gives an attempt a name of its own for the manifest, or a copy where the disk has no hard links."""
    link.unlink(missing_ok=True)
    try:
        os.link(manifest, link)
    except OSError:
        shutil.copyfile(manifest, link)
        link.chmod(0o600)


def delete_unused_manifests(folder: Path) -> int:
    """Deletes manifests that no attempt links to any more; returns how many."""
    deleted = 0
    for path in folder.glob("*"):
        with contextlib.suppress(OSError):
            stat = path.stat()
            if stat.st_nlink == 1 and stat.st_mtime < time.time() - _UNUSED_S:
                path.unlink()
                deleted += 1
    return deleted


def _read_line(line: bytes) -> ClipSpec:
    return ClipSpec(**_DECODER.raw_decode(line.decode())[0])


def _line_of(clip: ClipSpec) -> bytes:
    values = zip(_NAMES, _VALUES(clip), strict=True)
    short = {name: value for name, value in values if value != _DEFAULTS.get(name, _ABSENT)}
    return _ENCODER.encode(short).encode() + b"\n"
