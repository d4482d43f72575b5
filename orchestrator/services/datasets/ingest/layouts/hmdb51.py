"""HMDB51: a list for each class and split, `brush_hair_test_split1.txt`, with lines like `name.avi 1`."""

import re
from collections import Counter
from pathlib import PurePosixPath

from orchestrator.domain.datasets import Split
from orchestrator.services.datasets.ingest.layouts.entry import DetectedLayout
from orchestrator.services.datasets.ingest.layouts.gathering import EntryCollector
from orchestrator.services.datasets.ingest.layouts.text_lines import filled_lines
from orchestrator.services.datasets.ingest.layouts.tree import Tree, Unreadable

_LIST = re.compile(r"(.+)_test_split(\d+)\.txt", re.IGNORECASE)
_LINE = re.compile(r"(\S.*?)\s+([012])")
_UNUSED = "0"
_SPLITS = {"1": Split.TRAIN, "2": Split.VALIDATION}


def read(tree: Tree) -> DetectedLayout | None:
    """Reads the lists of the first split, because the three splits of HMDB51 have the same clips."""
    lists: dict[int, list[tuple[str, str]]] = {}
    for file in tree.texts(".txt"):
        if match := _LIST.fullmatch(PurePosixPath(file).name):
            lists.setdefault(int(match[2]), []).append((file, match[1]))
    if not lists:
        return None
    collected, number = EntryCollector(tree, "hmdb51", "HMDB51 (lists)"), min(lists)
    unused: Counter[str] = Counter()
    for file, label in lists[number]:
        if not (lines := _lines(tree, file)):
            continue
        collected.add_source(file)
        for name, use in lines:
            if use == _UNUSED:
                unused[file] += 1
                short = PurePosixPath(file).name
                collected.leave_out(f"{label}/{name}", file, f"{name} is in no part of split {number} (0 in {short}).")
            else:
                collected.add(f"{label}/{name}", file, labels=label, split=_SPLITS[use])
    if not collected.files:
        return None
    for other in sorted(set(lists) - {number}):
        for file, _ in lists[other]:
            collected.leave_list(file, f"split{number} is used.")
    return collected.done(
        {"label": "the list's name", "split": "1 train, 2 validation, 0 unused"},
        [*_other_splits(number, sorted(lists)), *_unused_note(number, unused.total())],
    )


def _lines(tree: Tree, file: str) -> list[tuple[str, str]]:
    """(clip, use) of each line; [] for other lists."""
    try:
        lines = [line for _, line in filled_lines(tree.text(file))]
    except Unreadable as error:
        tree.problems.append(str(error))
        return []
    matches = [match for line in lines if (match := _LINE.fullmatch(line))]
    return [(match[1], match[2]) for match in matches] if len(matches) == len(lines) else []


def _other_splits(used: int, numbers: list[int]) -> list[str]:
    others = [f"split{number}" for number in numbers if number != used]
    if not others:
        return []
    are = "is" if len(others) == 1 else "are"
    return [f"split{used} is used; {' and '.join(others)} {are} there as well, and not used."]


def _unused_note(number: int, count: int) -> list[str]:
    if not count:
        return []
    clips = "1 clip is" if count == 1 else f"{count:,} clips are"
    return [f"{clips} left out, because split{number} uses them neither for training nor for validation (0)."]
