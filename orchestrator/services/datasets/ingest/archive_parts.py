"""Archives that were cut into parts: found by their names, and read as one file without a copy."""

import bisect
import io
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO, cast

from orchestrator.domain.numbers import parse_number

_PACKED = r"zip|7z|rar|tar|tgz|tbz2?|txz|tar\.[a-z0-9]+|gz"
_NUMBERED = re.compile(
    rf"(?P<base>.+\.(?:{_PACKED}))[._-]?(?P<word>part[._-]?)?(?P<part>(?(word)\d{{1,4}}|\d{{2,4}})|[a-z]{{2,3}})", re.I
)
"""`v.zip.001`, `v.zip.part1`, `v.tar.gz.part-aa`, `v.tar.gzaa`: pieces of the bytes of one file."""
_DISKS = re.compile(r"(?P<base>.+)\.z(?P<part>\d{2,4})", re.I)
"""`v.z01` with `v.zip` as the last part: a zip with several disks."""
_UNNAMED = re.compile(r"(?P<base>(?:.*/)?x|.+[._-]part[._-]?)(?P<part>\d{2,3}|[a-z]{2})", re.I)
"""`clips.part-aa`, `xaa`: pieces as well, if together they begin as an archive."""
_CLEARLY_A_PART = re.compile(r"part[._-]?[0-9a-z]+$|\.\d{3}$", re.I)
_COMPRESSIONS = ("gz", "xz", "bz", "lz")
_FIRST = ("0", "00", "000", "0000", "01", "001", "0001", "1", "a", "aa", "aaa")


class PartFiles:
    """One or more files that are read as if they were one."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self.paths = list(paths)
        self.starts: list[int] = []
        """The offset of each part."""
        self.size = 0
        for path in self.paths:
            self.starts.append(self.size)
            self.size += path.stat().st_size

    def open(self) -> BinaryIO:
        """A buffered file that can be sought in."""
        if len(self.paths) == 1:
            return self.paths[0].open("rb")
        return cast(BinaryIO, io.BufferedReader(_Joined(self), 2**16))


class _Joined(io.RawIOBase):
    def __init__(self, parts: PartFiles) -> None:
        self._parts, self._at, self._number = parts, 0, -1
        self._file: BinaryIO | None = None

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._parts.size}[whence]
        if base + offset < 0:
            raise ValueError("negative seek position")
        self._at = base + offset
        return self._at

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        if self._at >= self._parts.size:
            return 0
        number = bisect.bisect_right(self._parts.starts, self._at) - 1
        if self._file is None or number != self._number:
            self.close_part()
            self._file, self._number = self._parts.paths[number].open("rb"), number
        self._file.seek(self._at - self._parts.starts[number])
        block = self._file.read(len(buffer))
        buffer[: len(block)] = block
        self._at += len(block)
        return len(block)

    def close_part(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def close(self) -> None:
        self.close_part()
        super().close()


def as_parts(archive: Path | PartFiles) -> PartFiles:
    """A single file as an archive of one part."""
    return archive if isinstance(archive, PartFiles) else PartFiles([archive])


def group_parts(names: Iterable[str]) -> dict[str, list[str]]:
    """The names of archives in parts, each with the names of its parts in their order.

    A set with a missing part is listed as well: see `missing_part`. Single files are not listed.
    """
    known = set(names)
    sets: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for name in known:
        if match := _part_match(name):
            base = f"{match['base']}.zip" if match.re is _DISKS else match["base"]
            sets[base].append((match["part"].lower(), name))
    groups = {}
    for base, found in sets.items():
        found.sort(key=lambda part: (len(part[0]), part[0]))
        parts = [name for _, name in found]
        if _DISKS.fullmatch(parts[0]):
            parts += [name for name in known if name.lower() == base.lower()][:1]
        elif _NUMBERED.fullmatch(parts[0]) is None:
            if len(parts) < 2 or missing_part(base, parts):
                continue
        elif found[0][0] not in _FIRST and not _CLEARLY_A_PART.search(parts[0]):
            continue
        groups[base] = parts
    return groups


def _part_match(name: str) -> re.Match[str] | None:
    match = _DISKS.fullmatch(name) or _NUMBERED.fullmatch(name) or _UNNAMED.fullmatch(name)
    return None if match and match["part"].lower() in _COMPRESSIONS else match


def missing_part(base: str, parts: list[str]) -> str:
    """A sentence where a part is missing, as far as the names tell; "" where they are complete."""
    disks = _DISKS.fullmatch(parts[0])
    stems = [match["part"].lower() for name in parts if (match := _part_match(name))]
    if disks and parts[-1].lower() != base.lower():
        return _missing_sentence(base, parts, f"{_short(base)}, the last part,")
    if stems[0] not in _FIRST:
        return _missing_sentence(base, parts, "the first part")
    for before, after in pairwise(stems):
        if _number(after) - _number(before) != 1:
            return _missing_sentence(base, parts, f"the part between {before} and {after}")
    return ""


def join_advice(base: str, parts: list[str]) -> str:
    """How to make one archive of the parts, with a command."""
    short, first, last = _short(base), _short(parts[0]), _short(parts[-1])
    if _DISKS.fullmatch(parts[0]):
        command = f"zip -s 0 {short} --out joined.zip"
    else:
        prefix = first[: len(short)]
        command = f"cat {prefix}?* > joined-{short}"
    which = f"{first} to {last} are parts" if len(parts) > 1 else f"{first} is a part"
    return f"{which} of one archive. Upload all parts together, or join them first: {command}"


def _missing_sentence(base: str, parts: list[str], what: str) -> str:
    return f"Of {_short(base)}, {what} is missing. {join_advice(base, parts)}"


def _short(name: str) -> str:
    return name.rpartition("/")[2]


def _number(part: str) -> int:
    """`001` is 1, `aa` is 0, `ab` is 1."""
    if (number := parse_number(part)) is not None:
        return number
    value = 0
    for char in part:
        value = value * 26 + ord(char) - ord("a")
    return value
