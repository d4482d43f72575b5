"""Accounts for each row of the annotation files: it is used, or it is named with the reason why not."""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import PurePosixPath

from orchestrator.services.datasets.ingest.layouts.rows import Row
from orchestrator.services.datasets.ingest.layouts.tree import Tree
from orchestrator.services.datasets.not_used import NotUsed, NotUsedKind, NotUsedList

RowId = tuple[str, int, str]
"""A row: (annotation file, number, unit of the number); number 0 where the layout does not tell the rows."""
_NO_CLIP = "It names no clip with an annotation of this layout."


class RowAccount:
    """The rows that one layout reads, in use and left out."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._row: RowId = ("", 0, "")
        self._used: set[RowId] = set()
        self._reasons: dict[RowId, tuple[str, str]] = {}
        self._unplaced = NotUsedList()
        self._read: set[str] = set()

    def rows(self, file: str) -> Iterator[Row]:
        """The rows of a file; what is added in between belongs to the current one."""
        content = self._tree.content(file)
        self._read.add(file)
        for row, number in zip(content.rows, content.numbers, strict=True):
            self._row = (file, number, content.unit)
            yield row
        self._row = ("", 0, "")

    def at_line(self, file: str, number: int) -> None:
        """What is added next belongs to this line of a list."""
        self._row = (file, number, "line")

    def row_of(self, file: str) -> RowId:
        """The current row, for an entry that is added from this file."""
        return self._row if self._row[0] == file else (file, 0, "")

    def use(self, row: RowId) -> None:
        self._used.add(row)

    def leave_out(self, row: RowId, reason: str, step: str = "", stated: str = "") -> None:
        """States why a row is not used, unless another entry of it is; `stated`: the clip as the row names it."""
        if row[1]:
            self._reasons.setdefault(row, (reason, step))
        else:
            self._unplaced.add(NotUsedKind.ROW, f"{row[0]}: {stated}" if stated else row[0], reason, step)

    def not_used(self, files: list[str]) -> list[NotUsed]:
        """The rows of these annotation files that are not used, also those that no layout could read."""
        collected = NotUsedList(self._unplaced.groups())
        by_file: dict[str, dict[RowId, tuple[str, str]]] = defaultdict(dict)
        for row, reason in self._reasons.items():
            by_file[row[0]][row] = reason
        for file in files:
            left_out = by_file[file]
            if file in self._read:
                content = self._tree.content(file)
                rows = ((file, number, content.unit) for number in content.numbers)
                left_out = {row: left_out.get(row, (_NO_CLIP, "")) for row in rows if row not in self._used}
                left_out |= {(file, number, content.unit): (why, "") for number, why in content.unusable.items()}
            for row, (reason, step) in sorted(left_out.items()):
                if row not in self._used:
                    collected.add(NotUsedKind.ROW, row_text(row), reason, step)
        return collected.groups()


def row_text(row: RowId) -> str:
    """("a/train.csv", 4, "line") -> "a/train.csv, line 4"."""
    file, number, unit = row
    return f"{file}, {unit} {number:,}" if number else PurePosixPath(file).name
