"""Names of classes from a list beside the annotations: classes.txt, class_names.json, id2label, a table of ids."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Any

from orchestrator.domain.numbers import parse_number
from orchestrator.services.datasets.files import is_video
from orchestrator.services.datasets.ingest.layouts.entry import DetectedLayout
from orchestrator.services.datasets.ingest.layouts.text_lines import filled_lines
from orchestrator.services.datasets.ingest.layouts.tree import Tree, Unreadable

_WHOLE = re.compile(r"-?\d+(?:\.0+)?")
_STEM = re.compile(
    r"(class(es)?|labels?|categor(y|ies)|action)([ _-]?(map|names?|ind|list|dict|id|ids|index|mapping))?|names|config"
    r"|id(x|s)?_?(2|to)_?(label|class|name)s?|(label|class|name)s?_?(2|to)_?id(x|s)?",
    re.IGNORECASE,
)
_ENDINGS = (".txt", ".json", ".csv", ".tsv")
_KEYS = ("id2label", "label2id", "classes", "class_names", "names", "categories", "labels", "class_to_idx")
_NUMBERED = (re.compile(r"(?P<id>\d{1,9})[\s,:;]+(?P<name>.+)"), re.compile(r"(?P<name>.+?)[\s,:;]+(?P<id>\d{1,9})"))
_IDS = ("id", "class_id", "label_id", "index", "idx", "class_index")
_NAMES = ("name", "class", "class_name", "label", "label_name", "category")


@dataclass(frozen=True, slots=True)
class _ClassList:
    names: dict[int, str]
    """By number; from 0 where the list has no numbers of its own."""
    numbered: bool


def with_class_names(tree: Tree, layout: DetectedLayout) -> DetectedLayout:
    """The layout with class names in place of numbers, where the upload has a list of them.

    Numbers that were written as 1 and as 1.0 are one class. A list without numbers counts from 0 or from 1, as the
    numbers of the clips show.
    """
    labels = {label for entry in layout.entries for label in entry.annotations.labels}
    numbers = {label for label in labels if _WHOLE.fullmatch(label)}
    if len(numbers) < len(labels):  # beside other labels, only a number that is written in both ways is one class
        numbers = {label for label in numbers if "." in label and label.partition(".")[0] in labels}
    if not numbers:
        return layout
    whole = {label: label.partition(".")[0] if label in numbers else label for label in labels}
    notes = _decimal_notes(numbers)
    file, named, sentence = "", {}, ""
    if len(numbers) == len(labels):
        file, named, sentence = _names_for(tree, layout, {int(number) for number in whole.values()})
    if file:
        notes.append(sentence)
    names = {label: named[int(number)] if file else number for label, number in whole.items()}
    if all(label == name for label, name in names.items()):
        return layout
    entries = [
        replace(
            entry,
            annotations=replace(
                entry.annotations, labels=tuple(dict.fromkeys(names[label] for label in entry.annotations.labels))
            ),
        )
        for entry in layout.entries
    ]
    columns = layout.columns
    if file and "label" in columns:
        columns = columns | {"label": f"{columns['label']}, named by {PurePosixPath(file).name}"}
    files = [file] if file else []
    return replace(layout, entries=entries, files=layout.files + files, columns=columns, notes=[*layout.notes, *notes])


def listed_numbers(tree: Tree) -> frozenset[str]:
    """The numbers of classes that the lists of an upload have names for; a list without numbers may count from 1."""
    numbers: set[int] = set()
    for file in tree.texts(*_ENDINGS):
        if _STEM.fullmatch(PurePosixPath(file).stem) and (found := _class_list(tree, file)):
            numbers |= found.names.keys() if found.numbered else {*found.names, len(found.names)}
    return frozenset(map(str, numbers))


def _decimal_notes(labels: set[str]) -> list[str]:
    decimal = sorted(label for label in labels if "." in label)
    if not decimal:
        return []
    return [f"Classes that are written as {decimal[0]} are read as {decimal[0].partition('.')[0]}."]


def _names_for(tree: Tree, layout: DetectedLayout, ids: set[int]) -> tuple[str, dict[int, str], str]:
    """(the file with the names of these numbers, the names, the sentence about them); ("", {}, "") where none fits."""
    for file in tree.texts(*_ENDINGS):
        if file in layout.files or not _STEM.fullmatch(PurePosixPath(file).stem):
            continue
        short, found = PurePosixPath(file).name, _class_list(tree, file)
        if found is None or len(found.names) < 2:
            continue
        names = _counted(found, ids)
        if names is None:
            tree.problems.append(
                f"{short} has names for {len(found.names):,} classes, but the numbers of the clips are "
                f"{min(ids)} to {max(ids)}: not used."
            )
            continue
        if len({names[number] for number in ids}) < len(ids):
            tree.problems.append(f"{short} gives several numbers the same name: not used, so that no classes merge.")
            continue
        first = min(ids)
        counted = "" if found.numbered else f", counted from {min(names)}"
        return file, names, f"The classes have their names from {short}{counted}: {first} is {names[first]}."
    return "", {}, ""


def _counted(found: _ClassList, ids: set[int]) -> dict[int, str] | None:
    """The names by the numbers that the clips have; None where the list has too few."""
    if ids <= found.names.keys() and (found.numbered or 0 in ids or len(found.names) not in ids):
        return found.names
    from_one = {number + 1: name for number, name in found.names.items()}
    return from_one if not found.numbered and ids <= from_one.keys() else None


def _class_list(tree: Tree, file: str) -> _ClassList | None:
    """The names in a file; None for another file."""
    try:
        if file.endswith(".json"):
            return _of_json(json.loads(tree.text(file)))
        rows = tree.rows(file)
        if rows and _column(rows[0], _IDS) and _column(rows[0], _NAMES):
            return _of_pairs((row.get(_column(row, _IDS)), row.get(_column(row, _NAMES))) for row in rows)
        return _of_lines([line for _, line in filled_lines(tree.text(file))])
    except (Unreadable, ValueError, RecursionError):
        return None


def _column(row: dict[str, Any], names: tuple[str, ...]) -> str:
    return next((key for key in row if key and str(key).strip().lower() in names), "")


def _of_json(value: Any) -> _ClassList | None:
    if isinstance(value, dict):
        inner = next((value[key] for key in _KEYS if isinstance(value.get(key), dict | list)), None)
        if inner is not None:
            return _of_json(inner)
        by_number = _of_pairs(value.items())
        return by_number or _of_pairs((number, name) for name, number in value.items())
    if isinstance(value, list) and all(isinstance(name, str) for name in value):
        return _ClassList(dict(enumerate(name.strip() for name in value)), numbered=False)
    if isinstance(value, list) and all(isinstance(row, dict) for row in value):
        return _of_pairs((row.get(_column(row, _IDS)), row.get(_column(row, _NAMES))) for row in value)
    return None


def _of_pairs(pairs: Iterable[tuple[Any, Any]]) -> _ClassList | None:
    """The names by numbers that are stated; None where one of them is no number, or is there twice."""
    names: dict[int, str] = {}
    for stated, name in pairs:
        number = stated if isinstance(stated, int) and not isinstance(stated, bool) else parse_number(str(stated))
        if number is None or number in names or not isinstance(name, str) or not name.strip():
            return None
        names[number] = name.strip()
    return _ClassList(names, numbered=True) if names else None


def _of_lines(lines: list[str]) -> _ClassList | None:
    for pattern in _NUMBERED:
        matches = [match for line in lines if (match := pattern.fullmatch(line))]
        ids = {int(match["id"]) for match in matches}
        if len(matches) == len(lines) == len(ids) and (ids == set(range(min(ids), min(ids) + len(ids)))):
            return _ClassList({int(match["id"]): match["name"].strip() for match in matches}, numbered=True)
    if lines and lines[0].lower() in (*_NAMES, "names", "classes", "labels"):
        lines = lines[1:]
    names_clips = any(is_video(re.split(r"[\s,;|]", line)[0]) for line in lines)
    return _ClassList(dict(enumerate(lines)), numbered=False) if lines and not names_clips else None
