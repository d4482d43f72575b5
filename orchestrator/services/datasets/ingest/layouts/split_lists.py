"""Lists that only name clips and their split: `splits/train.txt` and `val.txt`, `{"train": [...]}`, a table."""

import json
import re
from collections import defaultdict
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Any

from orchestrator.domain.datasets import Split
from orchestrator.services.datasets.files import is_video
from orchestrator.services.datasets.ingest.layouts.entry import DetectedLayout
from orchestrator.services.datasets.ingest.layouts.matching import ClipMatch, NamedClip, match_clips
from orchestrator.services.datasets.ingest.layouts.splits import split_in, split_of
from orchestrator.services.datasets.ingest.layouts.text_lines import filled_lines
from orchestrator.services.datasets.ingest.layouts.tree import Tree, Unreadable
from orchestrator.services.datasets.ingest.layouts.videofolder import columns_of
from orchestrator.services.datasets.not_used import NotUsed, NotUsedKind, NotUsedList

_ENDINGS = (".txt", ".lst", ".csv", ".tsv", ".json")
_HEADERS = frozenset({"file", "file_name", "filename", "name", "video", "video_id", "video_name", "clip", "id", "path"})


@dataclass(frozen=True, slots=True)
class _SplitList:
    file: str
    split: Split
    stated: list[str]
    matches: list[ClipMatch]


def with_split_lists(tree: Tree, layout: DetectedLayout) -> DetectedLayout:
    """The layout with the splits of the upload's lists, for clips to which the layout gives none.

    A clip that lists of both splits name is validated with, so that it is never trained on by mistake.
    """
    found = [parsed for file in tree.texts(*_ENDINGS) if file not in layout.files for parsed in _read(tree, file)]
    if not found:
        return layout
    lists, notes = _first_numbered(found)
    not_used = _not_used(found, lists)
    splits: dict[str, set[Split]] = defaultdict(set)
    for parsed in lists:
        for match in parsed.matches:
            if match.name:
                splits[match.name].add(parsed.split)
        notes += _not_found(parsed)
    both = sorted(name for name, named in splits.items() if len(named) > 1)
    if both:
        notes.append(f"{_clips(len(both))} named in lists of both splits and kept for validation: {both[0]}")
    entries = [
        replace(entry, split=_one(splits[entry.name]))
        if entry.split is Split.AUTO and not entry.problem and entry.name in splits
        else entry
        for entry in layout.entries
    ]
    outside = [entry.name for entry in entries if not entry.problem and entry.split is Split.AUTO]
    if outside:
        notes.append(
            f"{_clips(len(outside))} in no list of a split, and may be used for training or validation: {outside[0]}"
        )
    files = list(dict.fromkeys(parsed.file for parsed in found))
    columns = layout.columns if "split" in layout.columns else layout.columns | {"split": "the lists' names"}
    return replace(
        layout,
        entries=[entry for entry in entries if entry.name not in files],
        files=[*layout.files, *files],
        columns=columns,
        notes=[*layout.notes, *notes],
        not_used=[*layout.not_used, *not_used],
    )


def _not_used(found: list[_SplitList], lists: list[_SplitList]) -> list[NotUsed]:
    """The lists of further splits, and the lines that name no clip or one of several."""
    collected = NotUsedList()
    used = {parsed.file for parsed in lists}
    for file in dict.fromkeys(parsed.file for parsed in found if parsed.file not in used):
        collected.add(NotUsedKind.LIST, file, "The lists of the first of several splits are used.")
    for parsed in lists:
        for stated, match in zip(parsed.stated, parsed.matches, strict=True):
            if match.name:
                continue
            unclear = match.several or match.contested
            reason = "It is unclear which of several clips it means." if unclear else "The clip was not uploaded."
            step = "Write the whole path of the clip." if unclear else "Add the clip that it names."
            collected.add(NotUsedKind.ROW, f"{parsed.file}: {stated}", reason, step)
    return collected.groups()


def _read(tree: Tree, file: str) -> list[_SplitList]:
    """The lists of a file that only names clips of the upload, in most of its lines."""
    try:
        lists = _stated(tree, file)
    except (Unreadable, OSError, ValueError, RecursionError):
        return []
    found = []
    for split, stated in lists:
        matches = match_clips(tree.index, [NamedClip(file, (name,)) for name in stated])
        named = sum(1 for match in matches if match.name or match.several or match.contested)
        if stated and 2 * max(named, sum(1 for name in stated if is_video(name))) >= len(stated):
            found.append(_SplitList(file, split, stated, matches))
    return found


def _stated(tree: Tree, file: str) -> list[tuple[Split, list[str]]]:
    """The names of clips in a file by their split: of a text, a JSON list or object of lists, or a table of splits."""
    split = split_in(file)
    if PurePosixPath(file).suffix.lower() == ".json":
        return _stated_in_json(split, json.loads(tree.text(file)))
    if split is not Split.AUTO:
        lines = [line.strip("\"'").rstrip(",;").rstrip("\"'") for _, line in filled_lines(tree.text(file))]
        return [(split, lines[1:] if lines and _is_header(tree, lines) else lines)]
    rows = tree.rows(file)
    columns = columns_of(rows)
    if not {"file", "split"} <= columns.keys():
        return []
    by_split: dict[Split, list[str]] = defaultdict(list)
    for row in rows:
        by_split[split_of(row.get(columns["split"]))].append(str(row.get(columns["file"]) or "").strip())
    by_split.pop(Split.AUTO, None)
    return list(by_split.items())


def _is_header(tree: Tree, lines: list[str]) -> bool:
    """Whether the first line of a list names its column; a clip may have such a name too."""
    others_are_files = len(lines) > 1 and all(map(is_video, lines[1:]))
    may_be_clip = tree.index.named(lines[0]) and not others_are_files
    return re.sub(r"[\s-]+", "_", lines[0].lower()) in _HEADERS and not may_be_clip


def _stated_in_json(split: Split, value: Any) -> list[tuple[Split, list[str]]]:
    by_key = value if isinstance(value, dict) else {split.value: value}
    return [
        (split_of(key), [str(name) for name in names])
        for key, names in by_key.items()
        if split_of(key) is not Split.AUTO
        and isinstance(names, list)
        and all(isinstance(name, str | int) for name in names)
    ]


def _first_numbered(found: list[_SplitList]) -> tuple[list[_SplitList], list[str]]:
    """The lists of the first of several numbered splits (train_1.txt, test_1.txt, train_2.txt, ...), which overlap."""
    by_number: dict[int, list[_SplitList]] = defaultdict(list)
    for parsed in found:
        numbers = re.findall(r"\d+", PurePosixPath(parsed.file).stem)
        by_number[int(numbers[-1]) if numbers else -1].append(parsed)
    clips = [{match.name for parsed in lists for match in parsed.matches} for lists in by_number.values()]
    if len(by_number) < 2 or not any(a & b - {""} for i, a in enumerate(clips) for b in clips[i + 1 :]):
        return found, []  # train_1.txt and train_2.txt may be parts of one split
    first = min(by_number)
    used = " and ".join(PurePosixPath(parsed.file).name for parsed in by_number[first])
    others = [PurePosixPath(p.file).name for number in sorted(by_number) if number != first for p in by_number[number]]
    return by_number[first], [f"The lists of several splits are there: {used} are used, {', '.join(others)} are not."]


def _not_found(parsed: _SplitList) -> list[str]:
    """Notes about the lines that name no clip, or one of several."""
    short, notes = PurePosixPath(parsed.file).name, []
    pairs = list(zip(parsed.stated, parsed.matches, strict=True))
    missing = [stated for stated, match in pairs if not (match.name or match.several or match.contested)]
    unclear = [stated for stated, match in pairs if match.several or match.contested]
    if missing:
        notes.append(f"{_clips(len(missing))} named in {short} but not uploaded: {missing[0]}")
    if unclear:
        notes.append(
            f"Not used, because it is unclear which clip they mean: {len(unclear):,} lines of {short} "
            f"(the first is {unclear[0]}). Write the whole path of the clip."
        )
    return notes


def _one(splits: set[Split]) -> Split:
    return Split.VALIDATION if len(splits) > 1 else next(iter(splits))


def _clips(count: int) -> str:
    return "1 clip is" if count == 1 else f"{count:,} clips are"
