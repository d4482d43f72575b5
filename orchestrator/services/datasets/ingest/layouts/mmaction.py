"""Lists of mmaction, VideoMAE and others: lines of path and label, separated by a space, a comma or a tab."""

import csv
import re
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from orchestrator.services.datasets.files import is_video
from orchestrator.services.datasets.ingest.layouts.annotation_texts import values_of_texts
from orchestrator.services.datasets.ingest.layouts.class_names import listed_numbers
from orchestrator.services.datasets.ingest.layouts.entry import DetectedLayout
from orchestrator.services.datasets.ingest.layouts.gathering import EntryCollector
from orchestrator.services.datasets.ingest.layouts.json_records import looks_like_json
from orchestrator.services.datasets.ingest.layouts.splits import split_in
from orchestrator.services.datasets.ingest.layouts.tables import BROKEN_QUOTES, Line, broken_sentence, read_cells
from orchestrator.services.datasets.ingest.layouts.text_lines import filled_lines, name_lines
from orchestrator.services.datasets.ingest.layouts.tree import Tree, Unreadable

_NUMBER = re.compile(r"-?\d+")
_MIN_SHARE = 0.9
_MIN_FRAME_COUNTS = 0.7
_MAX_HEADER = 6
_HEADER_WORDS = frozenset(
    {"path", "file", "file_name", "filename", "video", "video_path", "clip", "name", "label", "labels", "class"}
    | {"class_id", "class_name", "category", "action", "frames", "num_frames", "total_frames", "id"}
)
_COUNTED_NAME = re.compile(r"(?P<number>\d+)[\s,]+(?P<name>[^\d\s,].*)")
_LEAST_FRAMES = 8
"""A smaller number before a class is rather a part of its name: "3 point shot"."""
_MAX_LINE = 10_000
"""Longer lines are no path and label: the search for the path's end would take the square of their length."""


_Clip = tuple[int, str, list[str]]


@dataclass(frozen=True, slots=True)
class _ListFile:
    """The lines of a list.

    Attributes:
        clips: (number of the line, path, the values after it) of each clip.
        others: the numbers of lines without a clip and a label.
        broken: the numbers of lines whose quotation marks cannot be understood.
    """

    clips: list[_Clip]
    others: list[int]
    broken: list[int] = field(default_factory=list)

    def problems(self, short: str) -> list[str]:
        """Sentences about the lines that cannot be used; `short`: the file's name."""
        broken = [broken_sentence(short, self.broken)] if self.broken else []
        if not self.others:
            return broken
        return [*broken, f"{short} names no video with a label in {name_lines(self.others)}, which cannot be used."]


def read(tree: Tree) -> DetectedLayout | None:
    """Reads text lists in which most lines are a video's path and a label; numbers get their names afterwards."""
    collected = EntryCollector(tree, "mmaction", "Path and label lists (mmaction, VideoMAE)")
    known = listed_numbers(tree)
    notes: list[str] = []
    has_captions = False
    for file in tree.lists():
        if (content := _list_file(tree, file)) is None:
            continue
        collected.add_source(file)
        short = PurePosixPath(file).name
        notes += content.problems(short)
        collected.leave_out_lines(file, content.others, "It names no video with a label.")
        collected.leave_out_lines(file, content.broken, BROKEN_QUOTES)
        all_labels, taken = _labels(content.clips, known)
        notes += [f"{short}: {taken}"] if taken else []
        texts = [labels[0] for labels in all_labels if len(labels) == 1]
        is_text = any(not _NUMBER.fullmatch(text) for text in texts)
        values = iter(values_of_texts(texts) if is_text else [{"label": text} for text in texts])
        for (number, path, _), labels in zip(content.clips, all_labels, strict=True):
            value = next(values) if len(labels) == 1 else {}
            has_captions = has_captions or "caption" in value
            collected.at_line(file, number)
            label = labels if len(labels) > 1 else value.get("label", "")
            collected.add(path, file, labels=label, captions=value.get("caption"), split=split_in(file))
    columns = {"file": "the first field", "label": "the last field"}
    return collected.done(columns | ({"caption": "the last field"} if has_captions else {}), notes)


def _list_file(tree: Tree, file: str) -> _ListFile | None:
    """The clips of a list; None unless at least 90 % of its lines name a video first."""
    try:
        text = tree.text(file)
    except Unreadable:
        return None
    numbered = filled_lines(text)
    if not numbered or looks_like_json(text):
        return None
    for separator in ("\t", ",", ";", "|"):
        if sum(_begins_with_video(line, separator) for _, line in numbered) >= _MIN_SHARE * len(numbered):
            return _separated(tree, file, text, separator)
    return _spaced(numbered)


def _begins_with_video(line: str, separator: str) -> bool:
    first, found, _ = line.partition(separator)
    return bool(found) and is_video(first.strip(' "'))


def _separated(tree: Tree, file: str, text: str, separator: str) -> _ListFile | None:
    try:
        cells = read_cells(text, separator)
    except csv.Error:
        return None
    lines = [Line(line.number, _joined_text(line.cells, separator)) for line in cells.lines]
    short = PurePosixPath(file).name
    if lines and len(lines) > 1 and not is_video(lines[0].cells[0]):
        header = [cell for cell in lines[0].cells if cell]
        if len(header) != 2:
            tree.problems.append(
                f"{short} has the columns {', '.join(header[:_MAX_HEADER])}; none of them is known as the file or the "
                "annotation. Choose the columns by hand."
            )
            return None
        lines = lines[1:]
    clips: list[_Clip] = []
    others: list[int] = []
    for line in lines:
        labels = [label for cell in line.cells[1:] if cell for label in _labels_in(cell)]
        if labels and is_video(line.cells[0]):
            clips.append((line.number, line.cells[0], labels))
        else:
            others.append(line.number)
    return _ListFile(clips, others, cells.broken) if clips else None


def _joined_text(cells: list[str], separator: str) -> list[str]:
    """The cells without blanks around them; a sentence whose commas are followed by blanks is one cell."""
    rest = cells[2:]
    if rest and all(cell.startswith(" ") for cell in rest) and any(" " in cell.strip() for cell in cells[1:]):
        cells = [cells[0], separator.join(cells[1:])]
    return [cell.strip() for cell in cells]


def _labels_in(text: str) -> list[str]:
    """The labels in a text: several numbers, or names with commas and no blanks; other text is one label."""
    tokens = re.split(r"[\s,;]+", text)
    if all(map(_NUMBER.fullmatch, tokens)):
        return tokens
    return [part for part in text.split(",") if part] if not re.search(r"\s", text) else [text]


def _spaced(numbered: list[tuple[int, str]]) -> _ListFile | None:
    clips: list[_Clip] = []
    others: list[int] = []
    for number, line in numbered:
        path, rest = _path_and_rest(line)
        if path and rest:
            clips.append((number, path, _labels_in(rest)))
        else:
            others.append(number)
    if clips and others == [numbered[0][0]] and _is_header(numbered[0][1]):
        others = []
    if not clips or len(clips) < _MIN_SHARE * (len(clips) + len(others)):
        return None
    return _ListFile(clips, others)


def _is_header(line: str) -> bool:
    """Whether a line names the columns of a list: "path label"."""
    return all(word in _HEADER_WORDS for word in re.split(r"[\s,;]+", line.strip('"').lower()))


def _path_and_rest(line: str) -> tuple[str, str]:
    """(path, what follows it); the path may have spaces, and ends with the ending of a video."""
    if len(line) > _MAX_LINE:
        return "", ""
    for blank in re.finditer(r"[\s,]+", line):
        path = line[: blank.start()].strip('"')
        if is_video(path) and not is_video(line.split()[-1]):
            return path, line[blank.end() :]
    return "", ""


def _labels(clips: list[_Clip], known: frozenset[str]) -> tuple[list[list[str]], str]:
    """(the labels of each clip, a sentence about values that are not labels).

    Two values may be a frame count and a label, or a number and the class that it stands for.

    Args:
        known: the numbers that a list of class names has.
    """
    pairs = [values for _, _, values in clips if len(values) == 2]
    if pairs and len(pairs) == len(clips):
        first, second = ({bool(_NUMBER.fullmatch(pair[i])) for pair in pairs} for i in (0, 1))
        if first == {True} and second == {False}:
            return [[name] for _, name in pairs], "the number before the label is not used."
        if first == {False} and second == {True}:
            return [[name] for name, _ in pairs], "the number after the label is not used."
        if first == {True} and _are_frame_counts(pairs, known):
            return [[number] for _, number in pairs], "the first number of each line is read as a frame count."
    if names := _names_behind_numbers([values for _, _, values in clips]):
        return [[name] for name in names], "the number before the label is not used."
    counts = 0
    labels = []
    for _, _, values in clips:
        if len(values) == 2 and values[1] in known and values[0] not in known and _NUMBER.fullmatch(values[0]):
            counts += 1
            values = values[1:]
        labels.append(list(dict.fromkeys(values)))
    return labels, f"a number that no class has is read as a frame count in {counts:,} of its lines." if counts else ""


def _names_behind_numbers(lines: list[list[str]]) -> list[str]:
    """The names of classes in lines like "20 riding horse"; [] where the number is a part of the name.

    A number before a name is its class's, or a frame count: then most numbers differ.
    """
    matches = [_COUNTED_NAME.fullmatch(values[0]) for values in lines if len(values) == 1]
    found = [(match["number"], match["name"]) for match in matches if match]
    if not found or len(found) < len(lines):
        return []
    numbers, names, pairs = {number for number, _ in found}, {name for _, name in found}, set(found)
    merges_none = len(names) == len(pairs)
    is_count = 2 * len(pairs) > len(found) and min(int(number) for number in numbers) >= _LEAST_FRAMES
    return [name for _, name in found] if merges_none or is_count else []


def _are_frame_counts(pairs: list[list[str]], known: frozenset[str]) -> bool:
    """Whether the first of two numbers is a frame count: no class has it, or it is nearly always the larger one."""
    firsts, seconds = {first for first, _ in pairs}, {second for _, second in pairs}
    if known:
        return seconds <= known and not firsts <= known
    larger = sum(bool(_NUMBER.fullmatch(second)) and int(first) > int(second) for first, second in pairs)
    return larger >= _MIN_FRAME_COUNTS * len(pairs) and not firsts & seconds
