"""What people gave and is not used: files, rows, columns, lists, members of archives, times and media, with reasons."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from orchestrator.domain import formatting

NOT_USED = "not_used"
"""Key of a dataset's layout: what is not used, as `to_json` writes it."""
MAX_NAMES = 10
"""How many names of a group are kept; the others are counted."""
MAX_GROUPS = 60
_MAX_TEXT = 300


class NotUsedKind(StrEnum):
    FILE = "file"
    ROW = "row"
    """A row of a table, an entry of a JSON list, a line of a list."""
    COLUMN = "column"
    """A column of a table, or a key of JSON records."""
    LIST = "list"
    """A list of a further split."""
    MEMBER = "member"
    """A member of an archive."""
    TIME = "time"
    """Times of a part of a film."""
    MEDIA = "media"
    """Further films, pictures or sound of a sample."""


_PLURALS = {
    NotUsedKind.FILE: ("file", "files"),
    NotUsedKind.ROW: ("row", "rows"),
    NotUsedKind.COLUMN: ("column", "columns"),
    NotUsedKind.LIST: ("split list", "split lists"),
    NotUsedKind.MEMBER: ("member of an archive", "members of archives"),
    NotUsedKind.TIME: ("time", "times"),
    NotUsedKind.MEDIA: ("media field", "media fields"),
}


@dataclass(frozen=True, slots=True)
class NotUsed:
    """Things of one kind that are not used for one reason.

    Attributes:
        names: the first of them, such as "train.csv, line 4".
        step: what to do to have them used; "" where nothing is to be done.
        stored: whether the file is kept, so that it is found again when the dataset is read again.
    """

    kind: NotUsedKind
    reason: str
    count: int = 1
    names: tuple[str, ...] = ()
    step: str = ""
    stored: bool = True


class NotUsedList:
    """Collects what is not used, in groups by kind, reason and step. Counts are exact, names are limited."""

    def __init__(self, groups: Iterable[NotUsed] = ()) -> None:
        self._counts: Counter[tuple[NotUsedKind, str, str, bool]] = Counter()
        self._names: dict[tuple[NotUsedKind, str, str, bool], list[str]] = {}
        for group in groups:
            self.add_group(group)

    def add(
        self, kind: NotUsedKind, name: str, reason: str, step: str = "", stored: bool = True, count: int = 1
    ) -> None:
        """Adds one thing, or several of which only one is named."""
        self.add_group(NotUsed(kind, reason, count, (name,), step, stored))

    def add_group(self, group: NotUsed) -> None:
        key = (group.kind, group.reason[:_MAX_TEXT], group.step[:_MAX_TEXT], group.stored)
        if key not in self._counts and len(self._counts) >= MAX_GROUPS:
            key = (group.kind, "For other reasons.", "", group.stored)
        self._counts[key] += group.count
        names = self._names.setdefault(key, [])
        names += [name[-_MAX_TEXT:] for name in group.names[: MAX_NAMES - len(names)]]

    def groups(self) -> list[NotUsed]:
        """The groups by kind, the largest first."""
        order = list(NotUsedKind)
        found = [
            NotUsed(kind, reason, count, tuple(self._names[kind, reason, step, stored]), step, stored)
            for (kind, reason, step, stored), count in self._counts.items()
        ]
        return sorted(found, key=lambda group: (order.index(group.kind), -group.count))


def not_used_sentence(groups: Iterable[NotUsed]) -> str:
    """What is not used, in one line: "3 files, 120 rows, 2 columns"; "" where all is used."""
    counts: Counter[NotUsedKind] = Counter()
    for group in groups:
        counts[group.kind] += group.count
    return ", ".join(formatting.plural(counts[kind], *_PLURALS[kind]) for kind in NotUsedKind if counts[kind])


def not_used_notes(groups: Iterable[NotUsed]) -> list[str]:
    """A sentence for each group, with its count and its first names."""
    return [
        f"Not used: {group.count:,} {_PLURALS[group.kind][group.count != 1]} "
        f"({', '.join(group.names[:3])}{', …' if group.count > 3 else ''}). {group.reason}"
        f"{f' {group.step}' if group.step else ''}"
        for group in groups
    ]


def to_json(groups: Iterable[NotUsed]) -> list[dict[str, Any]]:
    """The groups as the dataset's layout stores them."""
    return [
        {
            "kind": group.kind.value,
            "reason": group.reason,
            "count": group.count,
            "names": list(group.names),
            "step": group.step,
            "stored": group.stored,
        }
        for group in groups
    ]


def from_json(stored: Iterable[Mapping[str, Any]]) -> list[NotUsed]:
    """The groups of a dataset's layout."""
    return [
        NotUsed(
            NotUsedKind(group["kind"]),
            str(group["reason"]),
            int(group["count"]),
            tuple(map(str, group["names"])),
            str(group.get("step", "")),
            bool(group.get("stored", True)),
        )
        for group in stored
    ]
