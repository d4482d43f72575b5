"""Lists of frame folders, as mmaction and TSN have them: `path total_frames label`, also with an offset before it."""

import re
from dataclasses import dataclass
from pathlib import PurePosixPath

from orchestrator.domain.annotations import Span
from orchestrator.services.datasets.files import is_video
from orchestrator.services.datasets.ingest.layouts.class_names import listed_numbers
from orchestrator.services.datasets.ingest.layouts.entry import DetectedLayout
from orchestrator.services.datasets.ingest.layouts.gathering import EntryCollector
from orchestrator.services.datasets.ingest.layouts.matching import NamedClip, match_clips
from orchestrator.services.datasets.ingest.layouts.splits import is_split_folder, split_in
from orchestrator.services.datasets.ingest.layouts.text_lines import filled_lines, name_lines
from orchestrator.services.datasets.ingest.layouts.tree import Tree, Unreadable
from orchestrator.services.datasets.usable import folder_label

_LAST_NUMBERS = re.compile(r"(?P<path>.*?[^\s\d,].*?|\d+)[\s,]+(?P<numbers>\d{1,9}(?:[\s,]+\d{1,9})*)")
_MIN_SHARE = 0.9
_MAX_LINE = 10_000
_NEAR_FRAMES = 3
"""By how many frames a list and a folder may differ: tools write one frame more or less than they name."""
_NO_LINE = "It is no path of a folder with numbers after it."


@dataclass(frozen=True, slots=True)
class _Line:
    number: int
    path: str
    film: str
    numbers: list[int]


def read(tree: Tree) -> DetectedLayout | None:
    """Reads lists in which most lines name a film without an ending, with its number of frames and its labels."""
    collected = EntryCollector(tree, "rawframes", "Lists of frame folders (mmaction, TSN)")
    if not tree.frames.films:
        return None
    notes: list[str] = []
    lists: dict[str, list[tuple[_Line, list[int], Span | None]]] = {}
    for file in tree.lists():
        lines, others = _lines(tree, file)
        if not lines:
            continue
        collected.add_source(file)
        collected.leave_out_lines(file, others, _NO_LINE)
        short = PurePosixPath(file).name
        notes += (
            [f"{short} names no folder with numbers in {name_lines(others)}, which cannot be used."] if others else []
        )
        lists[file], of_list = _labelled(tree, lines)
        notes += [f"{short}: {sentence}" for sentence in of_list]
    names, sentence = _class_names(tree, [line for lines in lists.values() for line in lines])
    notes += [sentence] if sentence else []
    for file, labelled in lists.items():
        for line, labels, span in labelled:
            collected.at_line(file, line.number)
            labels_of_line = [names.get(label, str(label)) for label in labels]
            collected.add(line.path, file, labels=labels_of_line, span=span, split=split_in(file))
    label = "the last number, named by the folders" if names else "the last number"
    return collected.done({"file": "the first field", "label": label}, notes)


def _lines(tree: Tree, file: str) -> tuple[list[_Line], list[int]]:
    """(the lines that name a film, the numbers of the others); none unless most lines are such ones."""
    try:
        numbered = filled_lines(tree.text(file))
    except Unreadable:
        return [], []
    lines: list[_Line] = []
    others: list[int] = []
    for number, text in numbered:
        match = _LAST_NUMBERS.fullmatch(text) if len(text) <= _MAX_LINE else None
        if match and not is_video(match["path"]):
            values = [int(value) for value in re.split(r"[\s,]+", match["numbers"])]
            lines.append(_Line(number, match["path"].strip('"'), "", values))
        else:
            others.append(number)
    if not lines or len(lines) < _MIN_SHARE * len(numbered):
        return [], []
    matches = match_clips(tree.index, [NamedClip(file, (line.path,)) for line in lines])
    found = [_Line(one.number, one.path, match.name, one.numbers) for one, match in zip(lines, matches, strict=True)]
    is_list = any(line.film for line in found) and not _are_only_counts(tree, found)
    return (found, others) if is_list else ([], [])


def _are_only_counts(tree: Tree, lines: list[_Line]) -> bool:
    """Whether each line has a film's number of frames and nothing else."""
    films = tree.frames.films
    pairs = [(line.numbers[0], len(films[line.film].pictures)) for line in lines if line.film in films]
    equal = sum(stated == there for stated, there in pairs)
    return all(len(line.numbers) == 1 for line in lines) and equal > len(pairs) / 2


def _labelled(tree: Tree, lines: list[_Line]) -> tuple[list[tuple[_Line, list[int], Span | None]], list[str]]:
    """(each line with its labels and its span, sentences about the frame counts).

    The number before the labels is how many frames there are; with a number before it, where they begin.
    """
    frames = tree.frames
    counts = {line.film: len(frames.films[line.film].pictures) for line in lines if line.film in frames.films}
    several = [line for line in lines if len(line.numbers) > 1]
    if len(several) < len(lines):
        return [(line, line.numbers, None) for line in lines], []
    with_offset = all(len(line.numbers) == 3 for line in lines) and _agree(lines, counts, 1) > _agree(lines, counts, 0)
    at = 1 if with_offset else 0
    labelled, other_counts = [], []
    for line in lines:
        total, labels = line.numbers[at], line.numbers[at + 1 :]
        span = None
        there = counts.get(line.film)
        if with_offset and there and total < there:
            rate = frames.rate_of(line.film)
            span = Span(line.numbers[0] / rate, (line.numbers[0] + total) / rate)
        elif there is not None and abs(there - total) > _NEAR_FRAMES:
            other_counts.append(f"{line.path} has {there:,} pictures and {total:,} by the list")
        labelled.append((line, list(dict.fromkeys(labels)), span))
    sentences = ["the first number of each line is where the part begins." if with_offset else ""]
    sentences.append("the number before the label is read as a frame count.")
    if other_counts:
        films = "1 folder has" if len(other_counts) == 1 else f"{len(other_counts):,} folders have"
        sentences.append(f"{films} another number of pictures than it says: {other_counts[0]}.")
    return labelled, [sentence for sentence in sentences if sentence]


def _agree(lines: list[_Line], counts: dict[str, int], at: int) -> int:
    """How many lines fit their folders, where the number of frames stands at this place."""
    fit = 0
    for line in lines:
        there = counts.get(line.film)
        if there is None:
            continue
        begins = line.numbers[0] if at else 0
        total = line.numbers[at]
        fit += total > 0 and begins + total <= there + _NEAR_FRAMES and (at == 1 or total >= there - _NEAR_FRAMES)
    return fit


def _class_names(tree: Tree, lines: list[tuple[_Line, list[int], Span | None]]) -> tuple[dict[int, str], str]:
    """The names of the folders by number, where each number has one folder and each folder one number; {} elsewhere.

    A list of class names beside the annotations goes first.
    """
    pairs = {(label, folder_label(line.film)) for line, labels, _ in lines if line.film for label in labels}
    numbers, folders = {number for number, _ in pairs}, {folder for _, folder in pairs}
    listed = listed_numbers(tree)
    if len(pairs) < 2 or not len(pairs) == len(numbers) == len(folders):
        return {}, ""
    if "" in folders or any(map(is_split_folder, folders)) or {str(number) for number in numbers} <= listed:
        return {}, ""
    first, name = min(pairs)
    return dict(pairs), f"The classes have the names of their folders: {first} is {name}."
