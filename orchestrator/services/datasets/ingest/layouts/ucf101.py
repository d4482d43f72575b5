"""UCF101: lists like `Archery/v_Archery_g01_c01.avi 1`, classes in `classInd.txt`, splits by the lists' names."""

import re
from pathlib import PurePosixPath

from orchestrator.services.datasets.ingest.layouts.entry import DetectedLayout
from orchestrator.services.datasets.ingest.layouts.gathering import EntryCollector
from orchestrator.services.datasets.ingest.layouts.splits import split_in
from orchestrator.services.datasets.ingest.layouts.text_lines import filled_lines
from orchestrator.services.datasets.ingest.layouts.tree import Tree, Unreadable

_LIST = re.compile(r"(train|test)list(\d\d)\.txt", re.IGNORECASE)


def read(tree: Tree) -> DetectedLayout | None:
    """Reads the first pair of lists (01), because the three splits of UCF101 overlap."""
    lists: dict[str, list[str]] = {}
    for name in tree.texts(".txt"):
        if collected := _LIST.fullmatch(PurePosixPath(name).name):
            lists.setdefault(collected[2], []).append(name)
    if not lists:
        return None
    collected, number = EntryCollector(tree, "ucf101", "UCF101 (lists)"), min(lists)
    for file in lists[number]:
        collected.add_source(file)
        for line in _lines(tree, file):
            # Class names of UCF101 have no spaces; lines of test lists have no number.
            path = line.rsplit(" ", 1)[0] if re.search(r" \d+$", line) else line
            collected.add(path, file, labels=PurePosixPath(path).parent.name, split=split_in(file))
    for file in tree.texts(".txt"):
        if PurePosixPath(file).name.lower() == "classind.txt":
            collected.add_source(file)
    for other in sorted(set(lists) - {number}):
        for file in lists[other]:
            collected.leave_list(file, f"Split {number} is used, with the same clips.")
    note = f"Of {len(lists)} splits the first is used ({number})." if len(lists) > 1 else ""
    return collected.done({"label": "the folder in the list", "split": "the list's name"}, [note] if note else [])


def _lines(tree: Tree, file: str) -> list[str]:
    try:
        return [line for _, line in filled_lines(tree.text(file))]
    except Unreadable as error:
        tree.problems.append(str(error))
        return []
