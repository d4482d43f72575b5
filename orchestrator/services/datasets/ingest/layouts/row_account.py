"""Accounts for each row of the annotation files: it is used, or it is named with the reason why not."""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import PurePosixPath

from orchestrator.services.datasets.ingest.layouts.rows import Row
from orchestrator.services.datasets.ingest.layouts.tree import Tree
from orchestrator.services.datasets.not_used import NotUsed, NotUsedKind, NotUsedList

Place = tuple[str, int, str]
"""A row: (annotation file, number, unit of the number); number 0 where the layout does not tell the rows."""
_NO_CLIP = "It names no clip with an annotation of this layout."


class RowAccount:
    """The rows that one layout reads, in use and left out."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._place: Place = ("", 0, "")
        self._used: set[Place] = set()
        self._reasons: dict[Place, tuple[str, str]] = {}
        self._unplaced = NotUsedList()
        self._read: list[str] = []

    def rows(self, file: str) -> Iterator[Row]:
        """The rows of a file; what is added in between belongs to the current one."""
        content = self._tree.content(file)
        if file not in self._read:
            self._read.append(file)
        for row, number in zip(content.rows, content.numbers, strict=True):
            self._place = (file, number, content.unit)
            yield row
        self._place = ("", 0, "")

    def at_line(self, file: str, number: int) -> None:
        """What is added next belongs to this line of a list."""
        self._place = (file, number, "line")

    def place_in(self, file: str) -> Place:
        """The current row, for an entry that is added from this file."""
        return self._place if self._place[0] == file else (file, 0, "")

    def use(self, place: Place) -> None:
        self._used.add(place)

    def leave_out(self, place: Place, reason: str, step: str = "") -> None:
        """States why a row is not used, unless another entry of it is."""
        if place[1]:
            self._reasons.setdefault(place, (reason, step))
        else:
            self._unplaced.add(NotUsedKind.ROW, place[0], reason, step)

    def not_used(self, files: list[str]) -> list[NotUsed]:
        """The rows of these annotation files that are not used, also those that no layout could read."""
        collected = NotUsedList(self._unplaced.groups())
        by_file: dict[str, dict[Place, tuple[str, str]]] = defaultdict(dict)
        for place, reason in self._reasons.items():
            by_file[place[0]][place] = reason
        for file in files:
            left_out = by_file[file]
            if file in self._read:
                content = self._tree.content(file)
                places = [(file, number, content.unit) for number in content.numbers]
                left_out = {place: left_out.get(place, (_NO_CLIP, "")) for place in places}
                left_out |= {(file, number, content.unit): (why, "") for number, why in content.unusable.items()}
            for place, (reason, step) in sorted(left_out.items()):
                if place not in self._used:
                    collected.add(NotUsedKind.ROW, place_text(place), reason, step)
        return collected.groups()


def place_text(place: Place) -> str:
    """("a/train.csv", 4, "line") -> "a/train.csv, line 4"."""
    file, number, unit = place
    return f"{file}, {unit} {number:,}" if number else PurePosixPath(file).name
