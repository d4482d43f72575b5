"""Finds the uploaded clips that the rows of annotation files name.

A row takes the clip with its exact path, then the one that differs in case only, then the one whose path ends like the
stated one. A folder that contradicts the stated path is accepted only where all rows of the file come from other
folders, such as those of another machine.
"""

import posixpath
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from urllib.parse import unquote

from orchestrator.domain.web_addresses import split_address
from orchestrator.services.datasets.files import is_video
from orchestrator.services.datasets.text_repair import normalize_text

_ESCAPES = re.compile(r"%[0-9A-Fa-f]{2}")
Parts = tuple[str, ...]
MAX_SEVERAL = 10
"""How many of the clips that a row could mean are compared and listed."""
_Roots = tuple[Parts, Parts]
"""(folders of the stated path, folders of the clip's path) above the folders that both have at their end."""


class MatchRank(IntEnum):
    """How well a row and its clip agree; a clip belongs to the rows that agree best."""

    OTHER_FOLDER = 0
    """Both paths have folders that the other does not have."""
    SHARED_END = 1
    """One path is the end of the other."""
    CASE = 2
    EXACT = 3


@dataclass(frozen=True, slots=True)
class NamedClip:
    """A row of an annotation file: the file, and the names that its clip may have, the likeliest first."""

    file: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ClipMatch:
    """The clip of a row.

    Attributes:
        name: its path in the upload; "" where it was not uploaded or cannot be told from others.
        several: the paths that the row could mean, where no single one of them agrees best.
        contested: the row's clip, where other rows of the same file could mean it just as well.
    """

    name: str = ""
    several: tuple[str, ...] = ()
    contested: str = ""


@dataclass(frozen=True, slots=True)
class _Found:
    name: str
    rank: MatchRank
    shared: int
    path: str
    """As the row states it."""
    roots: _Roots = ((), ())

    @property
    def stated(self) -> Parts:
        """The parts of the stated path, in lower case."""
        return _folded(_parts_of(self.path))


_Search = _Found | tuple[_Found, ...] | None
"""The clip that agrees best with a row, several that agree equally, or none."""


class ClipIndex:
    """The clips of an upload, for searches by path, by folder and name, and by name with or without its ending."""

    def __init__(self, videos: Sequence[str], of_any_ending: Collection[str] = ()) -> None:
        """
        Args:
            of_any_ending: the videos that rows may name with the ending of any video, such as films made of pictures.
        """
        self.of_any_ending = frozenset(of_any_ending)
        self._videos = videos

    def at(self, path: str) -> str:
        """The clip at this path, with or without its ending; "" where there is none, or several."""
        names = [name for name in self._by_path.of(path.lower()) if path in _with_stem(normalize_text(name))]
        return _only(names, path)

    def at_any_case(self, path: str) -> str:
        """Like `at`, without regard to case."""
        return _only(self._by_path.of(path.lower()), path)

    def in_folder(self, parts: Parts) -> list[str]:
        """The clips with this name in a folder of this name."""
        return self._by_folder_and_name.of("/".join(parts[-2:]).lower()) if len(parts) > 1 else []

    def named(self, name: str) -> list[str]:
        """The clips with this name, in any folder."""
        return self._by_name.of(name.lower())

    # Each is built when it is asked for: where the rows have the paths of the upload, only the first one is.

    @cached_property
    def _by_path(self) -> "_Groups":
        return _Groups(self._videos, lambda path: path)

    @cached_property
    def _by_folder_and_name(self) -> "_Groups":
        return _Groups(self._videos, _last_two)

    @cached_property
    def _by_name(self) -> "_Groups":
        return _Groups(self._videos, lambda path: path.rpartition("/")[2])


class _Groups:
    """Videos by a part of their path in lower case, with and without its ending."""

    def __init__(self, videos: Iterable[str], part_of: Callable[[str], str]) -> None:
        """
        Args:
            part_of: of a normalized path in lower case; "" leaves the video out.
        """
        self._videos: dict[str, str | list[str]] = {}
        """Lists only where several share a part: 100,000 lists of one would take most of an import's memory."""
        for video in videos:
            folded = normalize_text(video).lower()
            part = part_of(video if folded == video else folded)  # the same text is kept once
            for key in dict.fromkeys((part, _stem(part))) if part else ():
                known = self._videos.setdefault(key, video)
                if isinstance(known, list):
                    known.append(video)
                elif known is not video:
                    self._videos[key] = [known, video]

    def of(self, part: str) -> list[str]:
        """The videos with this part."""
        known = self._videos.get(part, [])
        return known if isinstance(known, list) else [known]


def match_clips(index: ClipIndex, rows: Sequence[NamedClip]) -> list[ClipMatch]:
    """The clip of each row, in their order."""
    searches: dict[NamedClip, _Search] = dict.fromkeys(rows)
    ties: dict[tuple[str, str], list[str]] = {}
    for row in searches:
        searches[row] = _search(index, row, ties)
    accepted, unclear = _without_contradictions(searches)
    contested = _contested(accepted)
    matches: dict[NamedClip, ClipMatch] = {}
    for row, found in searches.items():
        if isinstance(found, tuple) and row not in accepted:
            matches[row] = ClipMatch(several=tuple(one.name for one in found if row in unclear))
        elif row not in accepted or row in contested:
            matches[row] = ClipMatch(contested=contested.get(row, ""))
        else:
            matches[row] = ClipMatch(accepted[row].name)
    return [matches[row] for row in rows]


def _search(index: ClipIndex, row: NamedClip, ties: dict[tuple[str, str], list[str]]) -> _Search:
    folder = normalize_text(posixpath.dirname(row.file))
    several: tuple[_Found, ...] = ()
    for name in _with_decoded(row.names):
        text = normalize_text(name).strip().removeprefix("file://").replace("\\", "/")
        parts = _parts_of(text)
        if not parts:
            continue
        own, root = posixpath.normpath(posixpath.join(folder, text.lstrip("/"))), "/".join(parts)
        for rank, at in ((MatchRank.EXACT, index.at), (MatchRank.CASE, index.at_any_case)):
            if video := at(own) or at(root):
                return _Found(video, rank, len(parts), text)
        best = _best_ends(index, parts, folder, ties)
        if len(best) == 1:
            return _found(best[0], parts)
        several = several or tuple(_found(video, parts) for video in best[:MAX_SEVERAL])
    if not several and index.of_any_ending:
        stems = tuple(_stem(name) for name in row.names if is_video(name))
        found = _search(index, NamedClip(row.file, stems), ties) if stems else None
        if isinstance(found, _Found) and found.name in index.of_any_ending:
            return found
    return several or None


def _best_ends(index: ClipIndex, parts: Parts, folder: str, ties: dict[tuple[str, str], list[str]]) -> list[str]:
    """The clips that share the longest end with the stated path; of these, the nearest to the annotation file."""
    if candidates := index.in_folder(parts):
        by_end = _largest(candidates, lambda name: _shared_end(_folded(_folders(name)), _folded(parts[:-1])))
        by_end = _largest(by_end, lambda name: _shared_end(_folders(name), parts[:-1]))
        return _nearest(by_end, parts[-1], folder)
    # The same for all rows with this name: an upload may have 100,000 folders with a clip of one name.
    key = folder, parts[-1]
    if key not in ties:
        ties[key] = _nearest(index.named(parts[-1]), parts[-1], folder)
    return ties[key]


def _with_decoded(names: tuple[str, ...]) -> tuple[str, ...]:
    """The names, and behind them those that an address stands for: without its query, its signs decoded."""
    decoded = [
        unquote(split_address(name).path) if "://" in name else unquote(name) for name in names if _is_encoded(name)
    ]
    return (*names, *(name for name in decoded if name and name not in names))


def _is_encoded(name: str) -> bool:
    return bool(_ESCAPES.search(name)) or ("://" in name and ("?" in name or "#" in name))


def _nearest(names: list[str], stated: str, folder: str) -> list[str]:
    """The clips with exactly this name, or all; of these, the nearest to the folder of the annotation file."""
    if len(names) < 2:
        return names
    exact = [name for name in names if normalize_text(name).rpartition("/")[2] == stated]
    return _largest(exact or names, lambda name: shared_start(_folders(name), tuple(folder.split("/"))))


def _found(name: str, parts: Parts) -> _Found:
    folders, stated = _folded(_folders(name)), _folded(parts)
    shared = _shared_end(folders, stated[:-1])
    roots = stated[: len(stated) - 1 - shared], folders[: len(folders) - shared]
    rank = MatchRank.OTHER_FOLDER if all(roots) else MatchRank.SHARED_END
    return _Found(name, rank, shared, "/".join(parts), roots)


def _without_contradictions(searches: dict[NamedClip, _Search]) -> tuple[dict[NamedClip, _Found], set[NamedClip]]:
    """The rows whose clip has no folder that contradicts them, and those that may still mean several clips.

    The other rows of a file show which folders correspond. Where `a/1.mp4` is uploaded as `a/1.mp4`, `b/2.mp4` cannot
    be `a/2.mp4`; where all of `/data/a` is uploaded below `films/a`, `/data` corresponds to `films`. A file that names
    clips by their paths from its own folder means none outside of it.
    """
    known: dict[str, set[_Roots]] = defaultdict(set)
    own_folders: dict[str, str] = {}
    for row, match in searches.items():
        if isinstance(match, _Found):
            known[row.file].add(match.roots)
            folder = f"{posixpath.dirname(row.file)}/"
            if match.rank is MatchRank.EXACT and match.name.startswith(folder):
                own_folders[row.file] = folder
    accepted: dict[NamedClip, _Found] = {}
    unclear: set[NamedClip] = set()
    for row, match in searches.items():
        candidates = match if isinstance(match, tuple) else (match,) if match else ()
        possible = [
            one
            for one in candidates
            if one.name.startswith(own_folders.get(row.file, "")) and not _contradicts(one.roots, known[row.file])
        ]
        agreeing = [one for one in possible if one.roots[0] and one.roots in known[row.file]]
        if len(possible) > 1 and len(agreeing) == 1:  # the other rows of the file come from the same folder
            possible = agreeing
        if len(possible) == 1 and len(candidates) < MAX_SEVERAL:
            accepted[row] = possible[0]
        elif possible:
            unclear.add(row)
    return accepted, unclear


def _contradicts(roots: _Roots, known: set[_Roots]) -> bool:
    stated, folders = roots
    return any(
        (stated[:above], folders[:beside]) in known for above in range(len(stated)) for beside in range(len(folders))
    )


def _contested(accepted: dict[NamedClip, _Found]) -> dict[NamedClip, str]:
    """Rows that another row's clip was found for: "" where that row agrees better, else the clip's path."""
    named = Counter(match.name for match in accepted.values())
    rows_of: dict[str, list[NamedClip]] = defaultdict(list)
    for row, match in accepted.items():
        if named[match.name] > 1:
            rows_of[match.name].append(row)
    contested: dict[NamedClip, str] = {}
    for name, rows in rows_of.items():
        best = max((accepted[row].rank, accepted[row].shared) for row in rows)
        winners = [row for row in rows if (accepted[row].rank, accepted[row].shared) == best]
        exact = {row.file for row in winners if accepted[row].rank is MatchRank.EXACT}
        for row in rows:
            if row.file in exact and accepted[row].rank < MatchRank.CASE:
                contested[row] = ""  # its own file names the clip by its whole path in another row
                continue
            others = [other for other in winners if not _same_end(accepted[row].stated, accepted[other].stated)]
            if row not in winners and others:
                contested[row] = ""
            elif any(other.file == row.file for other in others):
                contested[row] = name
    return contested


def _same_end(one: Parts, other: Parts) -> bool:
    """Whether one path is the end of the other, so that both can mean the same clip."""
    one, other = (*one[:-1], _stem(one[-1])), (*other[:-1], _stem(other[-1]))
    return all(a == b for a, b in zip(reversed(one), reversed(other), strict=False))


def _largest(names: list[str], measure: Callable[[str], int]) -> list[str]:
    values = [measure(name) for name in names]
    best = max(values)
    return [name for name, value in zip(names, values, strict=True) if value == best]


def _only(names: list[str], path: str) -> str:
    """The only one of these clips, or the only one whose ending is stated too."""
    if len(names) > 1:
        names = [name for name in names if normalize_text(name).lower() == path.lower()]
    return names[0] if len(names) == 1 else ""


def _folders(name: str) -> Parts:
    return tuple(normalize_text(name).split("/")[:-1])


def _folded(parts: Parts) -> Parts:
    return tuple(part.lower() for part in parts)


def _stem(path: str) -> str:
    """The path without the ending of its last name."""
    stem, dot, ending = path.rpartition(".")
    return stem if dot and stem and "/" not in ending and not stem.endswith("/") else path


def _parts_of(path: str) -> Parts:
    return tuple(part for part in path.split("/") if part not in ("", ".", ".."))


def _with_stem(path: str) -> tuple[str, str]:
    return path, _stem(path)


def _last_two(path: str) -> str:
    """ "a/b/c" -> "b/c"; "" for a path without a folder."""
    folder, _, name = path.rpartition("/")
    parent = folder.rpartition("/")[2]
    return f"{parent}/{name}" if parent else ""


def _shared_end(one: Parts, other: Parts) -> int:
    """How many parts agree, counted from the end."""
    return shared_start(one[::-1], other[::-1])


def shared_start(one: Parts, other: Parts) -> int:
    """How many parts agree, counted from the front."""
    count = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        count += 1
    return count
