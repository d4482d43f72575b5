"""The rows of annotation files, with their places in the file and the keys that a layout has read."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

Row = dict[str, Any]


@dataclass(slots=True)
class Rows:
    """The content of a table or of a file with records.

    Attributes:
        rows: the usable rows.
        numbers: the line or entry of each of them, counted from 1.
        unit: what the numbers count: "line", "entry" or "row".
        unusable: the reason of each line or entry that is no row.
        problems: sentences about the file.
        notes: sentences about values that were read in another way than they are written.
    """

    rows: list[Row] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    unit: str = "line"
    unusable: dict[int, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


class ReadKeys(Row):
    """A row that notes which of its keys are read; to copy it reads them all, to look at its keys reads none."""

    __slots__ = ("_read",)

    def __init__(self, row: Mapping[str, Any], read: set[str]) -> None:
        super().__init__(row)
        self._read = read
        """The keys that were read in any row of the file."""

    def __getitem__(self, key: str) -> Any:
        self._read.add(key)
        return super().__getitem__(key)

    def get(self, key: str, default: Any = None) -> Any:
        self._read.add(key)
        return super().get(key, default)

    def __iter__(self) -> Iterator[str]:  # with it, dict(row) and {**row} read each key by __getitem__
        return super().__iter__()

    def items(self) -> Any:
        self._read.update(super().keys())
        return super().items()

    def values(self) -> Any:
        self._read.update(super().keys())
        return super().values()

    def __or__(self, other: Any) -> Any:
        return dict(self) | other

    def __ror__(self, other: Any) -> Any:
        return other | dict(self)


def peek(row: Row, key: str) -> Any:
    """The value of a key, which does not count as read."""
    return dict.get(row, key)
