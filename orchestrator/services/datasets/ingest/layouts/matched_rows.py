"""The rows of annotation files once each has its clip: their entries, and what is wrong with the other rows."""

from collections import defaultdict
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

from orchestrator.domain.annotations import Annotations, Span
from orchestrator.domain.datasets import Split
from orchestrator.services.datasets.ingest.layouts.annotation_texts import added_to, contradicts, limit_problem
from orchestrator.services.datasets.ingest.layouts.entry import Entry
from orchestrator.services.datasets.ingest.layouts.matching import ClipMatch, NamedClip
from orchestrator.services.datasets.ingest.layouts.row_account import RowAccount, RowId
from orchestrator.services.datasets.ingest.layouts.spans import is_span
from orchestrator.services.datasets.usable import folder_label

_REPEATED = "It names a clip again, and adds nothing."
_OTHER_LABEL = "It gives a clip another label; the first one is used."
_UNCLEAR = "It is unclear which of several clips it means."
_MISSING = "The clip that it names was not uploaded."
_NO_SPAN = "Its times are no part of a film: the end must come after the start."
EntryKey = tuple[str, Span | None]


@dataclass(frozen=True, slots=True)
class DescribedClip:
    """What one row says about one clip."""

    clip: NamedClip
    stated: str
    annotations: Annotations
    span: Span | None
    split: Split
    row: RowId
    folder_is_label: bool


@dataclass(slots=True)
class MatchedRows:
    """The entries of the rows that name a clip, and what is wrong with the other rows."""

    account: RowAccount
    folder_splits: dict[str, Split]
    entries: dict[EntryKey, Entry] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)
    """Why an uploaded clip that a row names has no entry."""
    missing: list[str] = field(default_factory=list)
    """Clips, as rows state them, that were not uploaded."""
    unclear: list[str] = field(default_factory=list)
    """Names that may mean one of several clips."""
    no_span: list[str] = field(default_factory=list)
    """Clips whose times are no part of a film."""
    other_label: list[str] = field(default_factory=list)
    """Clips with the label of a further row that contradicts the first."""
    several_labels: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    """Clips with several labels, by annotation file."""
    in_both_splits: list[str] = field(default_factory=list)
    repeated: int = 0
    """Rows that add nothing to a clip's entry."""
    _labelled_by_folder: set[EntryKey] = field(default_factory=set)

    def add(self, described: DescribedClip, match: ClipMatch) -> None:
        """Makes an entry of a row, adds the row to the entry of an earlier one, or notes why it is not used."""
        if match.name and is_span(described.span):
            self._take(described, (match.name, described.span))
        elif match.name:
            short, file = PurePosixPath(match.name).name, PurePosixPath(described.clip.file).name
            self.no_span.append(f"{short} ({described.span})")
            self.problems.setdefault(match.name, f"The times of {short} in {file} are no span.")
            self.account.leave_out(described.row, _NO_SPAN, "Correct the times.", described.stated)
        elif match.several or match.contested:
            self.unclear.append(described.stated)
            self.account.leave_out(described.row, _UNCLEAR, "Write the whole path of the clip.", described.stated)
        else:
            self.missing.append(described.stated)
            self.account.leave_out(described.row, _MISSING, "Add the clip that it names.", described.stated)

    def _take(self, described: DescribedClip, key: EntryKey) -> None:
        entry, reason = self._joined(described, key) if key in self.entries else self._new(described, key)
        self.entries[key] = entry
        if len(labels := described.annotations.labels) > 1:
            self.several_labels[described.clip.file].append(f"{PurePosixPath(key[0]).name}: {', '.join(labels)}")
        if reason:
            self.account.leave_out(described.row, reason, stated=described.stated)
        else:
            self.account.use(described.row)

    def _new(self, described: DescribedClip, key: EntryKey) -> tuple[Entry, str]:
        """(the entry of a row, why the row is not used)."""
        name, span = key
        annotations = described.annotations
        if described.folder_is_label:
            self._labelled_by_folder.add(key)
            annotations = replace(annotations, labels=tuple(filter(None, [folder_label(name)])))
        if problem := limit_problem(name, described.clip.file, annotations):
            return Entry(name, span=span, problem=problem), problem
        split = described.split if described.split is not Split.AUTO else self.folder_splits.get(name, Split.AUTO)
        return Entry(name, annotations, span, split), ""

    def _joined(self, described: DescribedClip, key: EntryKey) -> tuple[Entry, str]:
        """(the entry with what a further row adds, why the row is not used).

        A clip that is named for training and for validation is never trained on.
        """
        entry, further = self.entries[key], described.annotations
        first = entry.annotations
        if key in self._labelled_by_folder and further.labels:
            first = replace(first, labels=())
            self._labelled_by_folder.discard(key)
        if {entry.split, described.split} == {Split.TRAIN, Split.VALIDATION}:
            self.in_both_splits.append(entry.name)
        if other := contradicts(first, further):
            self.other_label.append(f"{PurePosixPath(key[0]).name} ({first.labels[0]}, then {further.labels[0]})")
        annotations = added_to(first, further)
        if problem := entry.problem or limit_problem(entry.name, described.clip.file, annotations):
            return entry, problem
        keeps_split = entry.split is not Split.AUTO and described.split is not Split.VALIDATION
        joined = replace(entry, annotations=annotations, split=entry.split if keeps_split else described.split)
        if joined != entry:
            return joined, ""
        self.repeated += not other
        return entry, _OTHER_LABEL if other else _REPEATED

    def notes(self, named: str) -> list[str]:
        """Sentences about rows that were not used as they are written; `named`: the annotation files."""
        notes = [
            f"{PurePosixPath(file).name} gives {len(clips):,} {'clip' if len(clips) == 1 else 'clips'} several labels "
            f"(the first is {clips[0]})."
            for file, clips in self.several_labels.items()
        ]
        if self.repeated:
            lines = "1 further line names" if self.repeated == 1 else f"{self.repeated:,} further lines name"
            notes.append(f"{lines} a clip again and add{'s' if self.repeated == 1 else ''} nothing.")
        if count := len(self.other_label):
            lines = "1 further line gives" if count == 1 else f"{count:,} further lines give"
            notes.append(f"{lines} a clip another label; the first one is used: {_first_names(self.other_label)}")
        if self.no_span:
            lines = _lines(self.no_span)
            notes.append(
                f"Not used, because their times are no part of a film: {lines} of {named}: {_first_names(self.no_span)}"
            )
        if self.in_both_splits:
            notes.append(in_both_note(self.in_both_splits))
        if self.missing:
            notes.append(f"{_clips_are(self.missing)} named in {named} but not uploaded: {_first_names(self.missing)}")
        if self.unclear:
            notes.append(
                f"Not used, because it is unclear which clip they mean: {_lines(self.unclear)} of {named}. "
                f"Write the whole path of the clip: {_first_names(self.unclear)}"
            )
        return notes

    def problem_of_all(self, named: str) -> str:
        """The sentence about files of which no row could be used; `named`: the annotation files."""
        if self.missing:
            return (
                f"{named} names {len(self.missing):,} clips, but none of them was uploaded"
                f"{_first_missing(self.missing)}. Upload the videos together with it."
            )
        if self.unclear:
            return (
                f"Each line of {named} may mean one of several clips (the first is {self.unclear[0]}). "
                "Write the whole paths of the clips in it."
            )
        return f"The times in {named} are no spans of films: {_first_names(self.no_span)}." if self.no_span else ""


def in_both_note(names: list[str]) -> str:
    """The note about clips, or films, that are named for both sides of the split."""
    return f"{_clips_are(names)} named for training and for validation, and kept for validation: {_first_names(names)}"


def _clips_are(names: list[str]) -> str:
    return "1 clip is" if len(names) == 1 else f"{len(names):,} clips are"


def _lines(names: list[str]) -> str:
    return "1 line" if len(names) == 1 else f"{len(names):,} lines"


def _first_missing(missing: list[str]) -> str:
    """The first name; a row whose videos are lists of pictures has none."""
    return next((f" (the first is {name})" for name in missing if name), "")


def _first_names(names: list[str]) -> str:
    return ", ".join(names[:3]) + (", …" if len(names) > 3 else "")
