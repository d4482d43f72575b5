"""Lists of mmaction and VideoMAE: lines of path and label, separated by a space, a comma or a tab."""

import re
from pathlib import PurePosixPath

from orchestrator.services.datasets.ingest.layouts.entry import DetectedLayout
from orchestrator.services.datasets.ingest.layouts.gathering import EntryCollector
from orchestrator.services.datasets.ingest.layouts.splits import split_in
from orchestrator.services.datasets.ingest.layouts.tree import Tree, Unreadable, is_video

_NAMES = re.compile(r"(label_?map|class_?names?|classes|labels?|class_?ind)", re.IGNORECASE)
_FIELDS = re.compile(r"[\s,]+")


def read(tree: Tree) -> DetectedLayout | None:
    """Reads text lists in which most lines are a video's path and a number, and the class names of the numbers."""
    collected, used = EntryCollector(tree, "mmaction", "Path and label lists (mmaction, VideoMAE)"), ""
    names = _class_names(tree)
    for file in tree.texts(".txt", ".csv", ".lst"):
        pairs = _pairs(tree, file)
        if not pairs:
            continue
        collected.add_source(file)
        for path, label in pairs:
            named = names[1].get(label, "")
            used = used or (names[0] if named else "")
            collected.add(path, file, named or label, split=split_in(file))
    if used:
        collected.add_source(used)
    return collected.done({"file": "the first field", "label": f"the last field{f', named by {used}' if used else ''}"})


def _pairs(tree: Tree, file: str) -> list[tuple[str, str]]:
    """(path, label) of each line; [] unless at least 90 % of the lines have this form."""
    try:
        lines = [line.strip() for line in tree.text(file).splitlines() if line.strip()]
    except Unreadable:
        return []
    pairs = []
    for line in lines:
        fields = _FIELDS.split(line)
        # Lists of raw frames have a frame count in the middle; a path may have spaces.
        path = line[: line.rindex(fields[-1])].rstrip(" ,\t")
        path = path if is_video(path) else fields[0]
        if len(fields) >= 2 and is_video(path) and len(fields[-1]) <= 100 and not is_video(fields[-1]):
            pairs.append((path, fields[-1]))
    return pairs if pairs and len(pairs) >= 0.9 * len(lines) else []


def _class_names(tree: Tree) -> tuple[str, dict[str, str]]:
    """(the file with the class names, the name of each number)."""
    for file in tree.texts(".txt"):
        if not _NAMES.search(PurePosixPath(file).stem):
            continue
        try:
            lines = [line.strip() for line in tree.text(file).splitlines() if line.strip()]
        except Unreadable:
            continue
        numbered = [re.match(r"^(\d+)[\s,:]+(.+)$", line) for line in lines]
        if lines and all(numbered):
            return file, {match[1]: match[2] for match in numbered if match}
        return file, {str(number): line for number, line in enumerate(lines)}
    return "", {}
