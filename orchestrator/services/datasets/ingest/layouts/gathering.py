"""Collects the entries of annotation files: finds each clip's file, and counts missing and repeated clips."""

import math
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import Any

from orchestrator.domain.datasets import Split
from orchestrator.services.datasets.ingest.layouts.entry import (
    CAPTION_LIMIT,
    LABEL_LIMIT,
    PROMPT_LIMIT,
    DetectedLayout,
    Entry,
)
from orchestrator.services.datasets.ingest.layouts.folders import class_of
from orchestrator.services.datasets.ingest.layouts.matching import ClipMatch, NamedClip, match_clips
from orchestrator.services.datasets.ingest.layouts.row_account import RowAccount, RowId
from orchestrator.services.datasets.ingest.layouts.rows import Row
from orchestrator.services.datasets.ingest.layouts.splits import splits_by_folder
from orchestrator.services.datasets.ingest.layouts.tree import Tree
from orchestrator.services.datasets.not_used import NotUsedKind, NotUsedList
from orchestrator.services.datasets.text_repair import normalize_text

_LINE_MARKS = re.compile("[\x0b\x0c\x1c-\x1e\x85]+")
"""Control characters that separate lines inside a text; U+2028 takes their place, because they cannot be shown."""
_REPEATED = "It names a clip again, and adds nothing."
_UNCLEAR = "It is unclear which of several clips it means."
_MISSING = "The clip that it names was not uploaded."
MAX_MISSING_LISTED = 20
"""How many missing clips are listed by name; the others are counted."""


@dataclass(frozen=True, slots=True)
class _Row:
    clip: NamedClip
    stated: str
    labels: list[str] | None
    """None for the name of the clip's folder."""
    caption: str
    prompt: str
    split: Split
    id: RowId


@dataclass(slots=True)
class _MatchedRows:
    """The entries of the rows that name a clip, and what is wrong with the other rows."""

    account: RowAccount
    folder_splits: dict[str, Split]
    entries: dict[str, Entry] = field(default_factory=dict)
    """By the clip's name."""
    missing: list[str] = field(default_factory=list)
    """Clips, as rows state them, that were not uploaded."""
    unclear: list[str] = field(default_factory=list)
    """Names that may mean one of several clips."""
    several_labels: dict[str, list[str]] = field(default_factory=dict)
    """Clips with several labels, by annotation file."""
    in_both_splits: list[str] = field(default_factory=list)
    repeated: int = 0
    """Rows that add nothing to a clip's entry."""
    _labelled_by_folder: set[str] = field(default_factory=set)

    def add(self, row: _Row, match: ClipMatch) -> None:
        if match.name in self.entries:
            self._join(match.name, row)
        elif match.name:
            self._add_clip(match.name, row)
        elif match.several or match.contested:
            self.unclear.append(row.stated)
            self.account.leave_out(row.id, _UNCLEAR, "Write the whole path of the clip.")
        else:
            self.missing.append(row.stated)
            self.account.leave_out(row.id, _MISSING, "Add the clip that it names.")

    def _add_clip(self, name: str, row: _Row) -> None:
        split = row.split if row.split is not Split.AUTO else self.folder_splits.get(name, Split.AUTO)
        self.entries[name] = entry = _entry(name, row, split)
        if entry.problem:
            self.account.leave_out(row.id, entry.problem)
        else:
            self.account.use(row.id)
        if row.labels is None:
            self._labelled_by_folder.add(name)
        elif len(row.labels) > 1:
            self.several_labels.setdefault(row.clip.file, []).append(_stated_labels(name, row.labels))

    def _join(self, name: str, row: _Row) -> None:
        """Adds a further row of a clip."""
        first = self.entries[name]
        self.entries[name] = _joined(first, row, name in self._labelled_by_folder)
        if self.entries[name] == first:
            self.repeated += 1
            self.account.leave_out(row.id, _REPEATED)
        else:
            self.account.use(row.id)
        if {first.split, row.split} == {Split.TRAIN, Split.VALIDATION}:
            self.in_both_splits.append(name)

    def notes(self, named: str) -> list[str]:
        """Sentences about rows that were not used as they are written; `named`: the annotation files."""
        notes = []
        if self.repeated:
            lines = "1 further line names" if self.repeated == 1 else f"{self.repeated:,} further lines name"
            notes.append(f"{lines} a clip again; the first one is used.")
        if self.in_both_splits:
            clips = _clips_are(self.in_both_splits)
            names = _first_names(self.in_both_splits)
            notes.append(f"{clips} named for training and for validation, and kept for validation: {names}")
        if self.missing:
            clips = _clips_are(self.missing)
            notes.append(f"{clips} named in {named} but not uploaded: {_first_names(self.missing)}")
        if self.unclear:
            lines = "1 line" if len(self.unclear) == 1 else f"{len(self.unclear):,} lines"
            notes.append(
                f"Not used, because it is unclear which clip they mean: {lines} of {named}. "
                f"Write the whole path of the clip: {_first_names(self.unclear)}"
            )
        return notes


class EntryCollector:
    """The entries of one layout while its annotation files are read.

    The clips are found when all rows are known (`matching.match_clips`), because a row may only take a clip that no
    other row names better.
    """

    def __init__(self, tree: Tree, key: str, title: str) -> None:
        self._tree, self._key, self._title = tree, key, title
        self._rows: list[_Row] = []
        self._problems: dict[str, str] = {}
        self._captions: dict[str, list[int]] = defaultdict(list)
        """How many captions each row has, by file."""
        self._account = RowAccount(tree)
        self._not_used = NotUsedList()
        self.files: list[str] = []

    def rows(self, file: str) -> Iterator[Row]:
        """The rows of an annotation file; each is accounted for, as used or not used."""
        return self._account.rows(file)

    def at_line(self, file: str, number: int) -> None:
        """Says which line of a list is added next."""
        self._account.at_line(file, number)

    def add(
        self,
        stated: Any,
        file: str,
        label: Any = "",
        caption: Any = "",
        prompt: Any = "",
        split: Split = Split.AUTO,
        alternatives: tuple[str, ...] = (),
        folder_is_label: bool = False,
    ) -> None:
        """Adds one clip that an annotation file describes.

        Args:
            stated: the clip's name in the file.
            file: the annotation file.
            split: AUTO for the split of the clip's folders.
            alternatives: other names that the clip may have.
            folder_is_label: the label is the name of the clip's folder.
        """
        captions = _texts(caption)
        self._captions[file].append(len(captions))
        names = tuple(str(name) for name in (stated, *alternatives) if _is_name(name))
        self._rows.append(
            _Row(
                NamedClip(file, names),
                plain(stated)[:200],
                None if folder_is_label else _texts(label),
                captions[0] if captions else "",
                plain(prompt),
                split,
                self._account.row_of(file),
            )
        )

    def leave_list(self, file: str, reason: str) -> None:
        """Records a list of a further split, which is not used."""
        self.add_source(file)
        self._not_used.add(NotUsedKind.LIST, file, reason)

    def leave_out(self, stated: str, file: str, problem: str) -> None:
        """Records a clip that the annotation file leaves out, with the reason."""
        match = match_clips(self._tree.index, [NamedClip(file, (stated,))])[0]
        if match.name:
            self._problems.setdefault(match.name, problem)

    def add_source(self, file: str) -> None:
        """Records that `file` is an annotation file and no clip."""
        if file not in self.files:
            self.files.append(file)

    def done(self, columns: dict[str, str] | None = None, notes: list[str] | None = None) -> DetectedLayout | None:
        """The layout; None, with a problem in the tree, when none of the named clips was uploaded."""
        named = " and ".join(PurePosixPath(file).name for file in self.files[:2]) or "The list"
        matched = _MatchedRows(self._account, splits_by_folder(self._tree.videos))
        matches = match_clips(self._tree.index, [row.clip for row in self._rows])
        for row, match in zip(self._rows, matches, strict=True):
            matched.add(row, match)
        if not matched.entries:
            self._report_nothing_found(named, matched.missing, matched.unclear)
            return None
        label_and_caption_notes = [*_several_notes(matched.several_labels), *_caption_notes(self._captions)]
        return DetectedLayout(
            self._key,
            self._title,
            [*matched.entries.values(), *self._left_out(named, matched)],
            self.files,
            columns or {},
            [*label_and_caption_notes, *(notes or []), *matched.notes(named)],
            [*self._not_used.groups(), *self._account.not_used(self.files)],
        )

    def _left_out(self, named: str, matched: _MatchedRows) -> list[Entry]:
        """The uploaded clips that no row names, and the first of the named ones that were not uploaded."""
        problems = {name: f"{PurePosixPath(name).name} is not named in {named}." for name in self._tree.videos}
        problems |= self._problems
        problems |= {
            name: f"{PurePosixPath(name).name or 'A clip'} is named in {named} but was not uploaded."
            for name in list(dict.fromkeys(matched.missing))[:MAX_MISSING_LISTED]
        }
        return [Entry(name, problem=problem) for name, problem in problems.items() if name not in matched.entries]

    def _report_nothing_found(self, named: str, missing: list[str], unclear: list[str]) -> None:
        if missing:
            self._tree.problems.append(
                f"{named} names {len(missing):,} clips, but none of them was uploaded"
                f"{_first_missing(missing)}. Upload the videos together with it."
            )
        elif unclear:
            self._tree.problems.append(
                f"Each line of {named} may mean one of several clips (the first is {unclear[0]}). "
                "Write the whole paths of the clips in it."
            )


def unused_times_note(segments: int) -> list[str]:
    """The note about rows that describe parts of films by their times."""
    if not segments:
        return []
    parts = "1 segment is" if segments == 1 else f"{segments:,} segments are"
    return [
        f"{parts} named by start and end, but these times are not used: a whole film takes the first of its rows. "
        "Cut the films into clips to train on each segment."
    ]


def _clips_are(names: list[str]) -> str:
    return "1 clip is" if len(names) == 1 else f"{len(names):,} clips are"


def _first_missing(missing: list[str]) -> str:
    """The first name; a row whose videos are lists of pictures has none."""
    return next((f" (the first is {name})" for name in missing if name), "")


def _first_names(names: list[str]) -> str:
    return ", ".join(names[:3]) + (", …" if len(names) > 3 else "")


def _is_name(value: Any) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool)


def _texts(value: Any) -> list[str]:
    """The labels or captions of a row, which may be a list."""
    return [text for item in (value if isinstance(value, list) else [value]) if (text := plain(item))]


def _stated_labels(name: str, labels: list[str]) -> str:
    return f"{PurePosixPath(name).name}: {', '.join(labels)}"


def _entry(name: str, row: _Row, split: Split) -> Entry:
    """The entry of a row; with a problem where a text is too long, or where several labels are all that it has."""
    label = class_of(name) if row.labels is None else "".join(row.labels[:1])
    if row.labels and len(row.labels) > 1:
        if not row.caption:
            short = PurePosixPath(row.clip.file).name
            return Entry(name, problem=f"{short} gives several labels to {_stated_labels(name, row.labels)}.")
        label = ""  # with its caption the clip can still be used for captioning
    if problem := too_long(name, row.clip.file, label, row.caption, row.prompt):
        return Entry(name, problem=problem)
    return Entry(name, label, row.caption, row.prompt, split)


def _joined(entry: Entry, row: _Row, labelled_by_folder: bool) -> Entry:
    """The entry with what a further row adds: texts that it lacks, and its split.

    A clip that is named for training and for validation is never trained on.
    """
    label = entry.label
    if (labelled_by_folder or not label) and row.labels and len(row.labels) == 1:
        label = row.labels[0]
    split = row.split if entry.split is Split.AUTO or row.split is Split.VALIDATION else entry.split
    caption, prompt = (entry.caption, entry.prompt) if entry.caption else (row.caption, row.prompt)
    if entry.problem or too_long(entry.name, row.clip.file, label, caption, prompt):
        return entry
    return replace(entry, label=label, caption=caption, prompt=prompt or entry.prompt, split=split)


def _caption_notes(captions: dict[str, list[int]]) -> list[str]:
    return [
        f"{sum(map(bool, counts)):,} of {sum(counts):,} captions of {PurePosixPath(file).name} are used, "
        "the first of each clip."
        for file, counts in captions.items()
        if max(counts) > 1
    ]


def _several_notes(several: dict[str, list[str]]) -> list[str]:
    return [
        f"{PurePosixPath(file).name} gives {len(clips):,} {'clip' if len(clips) == 1 else 'clips'} several labels "
        f"(the first is {clips[0]}). A clip has one label here, so these labels are not used."
        for file, clips in several.items()
    ]


def too_long(name: str, file: str, label: str = "", caption: str = "", prompt: str = "") -> str:
    """The sentence about a text that is longer than its limit; "" where all fit. No text is cut."""
    limits = [("label", label, LABEL_LIMIT), ("caption", caption, CAPTION_LIMIT), ("question", prompt, PROMPT_LIMIT)]
    for kind, text, limit in limits:
        if len(text) > limit:
            return (
                f"The {kind} of {PurePosixPath(name).name} in {PurePosixPath(file).name} has {len(text):,} characters; "
                f"at most {limit:,} are possible. Shorten it there."
            )
    return ""


def plain(value: Any) -> str:
    """A value as normalized text without control and direction marks; "" for None, NaN, lists and objects."""
    if value is None or isinstance(value, dict | list):
        return ""
    if isinstance(value, float) and not math.isfinite(value):
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return normalize_text(_LINE_MARKS.sub("\u2028", str(value).replace("\r\n", "\n").replace("\r", "\n"))).strip()
