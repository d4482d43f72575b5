"""Collects what the rows of annotation files say about the clips of an upload."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from orchestrator.domain.annotations import Conversation, Span
from orchestrator.domain.datasets import Split
from orchestrator.services.datasets.ingest.layouts.annotation_texts import plain, stated_annotations, unanswered
from orchestrator.services.datasets.ingest.layouts.entry import DetectedLayout, Entry
from orchestrator.services.datasets.ingest.layouts.matched_rows import DescribedClip, MatchedRows
from orchestrator.services.datasets.ingest.layouts.matching import NamedClip, match_clips
from orchestrator.services.datasets.ingest.layouts.row_account import RowAccount
from orchestrator.services.datasets.ingest.layouts.rows import Row
from orchestrator.services.datasets.ingest.layouts.splits import split_of, splits_by_folder
from orchestrator.services.datasets.ingest.layouts.tree import Tree
from orchestrator.services.datasets.not_used import NotUsedKind, NotUsedList
from orchestrator.services.datasets.text_repair import dropped_characters

_NO_FRAMES = "Its list of pictures is no run of a film's frames: only such lists can be used."
_SEVERAL_FILMS = "It is about several films at once; a sample has one film here."
_NO_SPLIT = frozenset({"auto", "none", "null", "all", "nan"})
"""Words in a column of splits that leave the split open, as our own export writes it."""
_MAX_SPLITS = 5
MAX_MISSING_LISTED = 20
"""How many missing clips are listed by name; the others are counted."""


class EntryCollector:
    """The entries of one layout while its annotation files are read.

    A reader calls `add_source` for each annotation file, iterates over `rows(file)` (or calls `at_line` for lists),
    calls `add` once for each clip that a row describes, and returns `done()`.

    The clips are found when all rows are known (`matching.match_clips`), because a row may only take a clip that no
    other row names better. Rows that name the same clip, or the same span of a film, add to each other: captions and
    conversations that are new are added, labels where a row lists several. Rows with different spans of a film are
    clips of their own. Texts are cleaned here (`annotation_texts.plain`) and limits are checked here
    (`domain.annotations.annotation_problem`), so that a reader passes the values as they stand in the file.
    """

    def __init__(self, tree: Tree, key: str, title: str) -> None:
        self._tree, self._key, self._title = tree, key, title
        self._rows: list[DescribedClip] = []
        self._problems: dict[str, str] = {}
        self._unanswered = 0
        self._no_frames: dict[str, str] = {}
        """The first picture of a list that is no run of frames, by annotation file."""
        self._samples: Counter[str] = Counter()
        """How many rows of each file are about several films at once."""
        self._other_splits: dict[str, Counter[str]] = defaultdict(Counter)
        """The words in a column of splits that are none, by annotation file."""
        self._marks: Counter[str] = Counter()
        """How many rows of each file have texts with marks of direction or private signs, which are left out."""
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
        *,
        labels: Any = (),
        captions: Any = (),
        conversations: Iterable[Conversation] = (),
        span: Span | None = None,
        split: Split = Split.AUTO,
        alternatives: tuple[str, ...] = (),
        folder_is_label: bool = False,
    ) -> None:
        """Adds what one row says about one clip; a row that describes several clips calls it for each.

        Args:
            stated: the clip's name in the file.
            file: the annotation file.
            labels: one label, or a list of several that the clip has at the same time.
            captions: one text, or a list of texts of which each describes the whole clip.
            conversations: questions that do not follow each other are conversations of one turn each. Turns without
                an answer are left out and counted; an answer without a question is a caption.
            span: the part of the film that the row describes (`spans.read_span`); None for the whole film. A row with
                times that are no span is left out with a sentence.
            split: AUTO for the split of the clip's folders.
            alternatives: other names that the clip may have.
            folder_is_label: the label is the name of the clip's folder; `labels` is not read.
        """
        talks = tuple(conversations)
        self._unanswered += unanswered(talks)
        self._marks[file] += _has_marks((labels, captions, [text for talk in talks for text in _texts_of(talk)]))
        names = tuple(str(name) for name in (stated, *alternatives) if _is_name(name))
        self._rows.append(
            DescribedClip(
                NamedClip(file, names),
                plain(stated)[:200],
                stated_annotations(() if folder_is_label else labels, captions, talks),
                span,
                split,
                self._account.row_of(file),
                folder_is_label,
            )
        )

    def split_of(self, value: Any, file: str) -> Split:
        """The split that a row states; a word that is none is named in a note, because it decides nothing."""
        split, word = split_of(value), plain(value)
        if word and split is Split.AUTO and word.lower() not in _NO_SPLIT:
            self._other_splits[file][word[:40]] += 1
        return split

    def leave_out_lines(self, file: str, numbers: Iterable[int], reason: str) -> None:
        """Records lines of a list that describe no clip."""
        for number in numbers:
            self._account.leave_out((file, number, "line"), reason)

    def leave_out_sample(self, files: Sequence[Any], file: str) -> None:
        """Records a row about several films at once, which is left out: each of them alone would be another sample."""
        self._samples[file] += 1
        self._account.leave_out(self._account.row_of(file), _SEVERAL_FILMS)
        for stated in files:
            name = PurePosixPath(str(stated)).name
            self.leave_out(str(stated), file, f"{name} is in a sample of several films, which cannot be used.")

    def part_of_frames(self, pictures: Sequence[Any]) -> tuple[str, Span | None] | None:
        """The film of a list of pictures, and the span of it; None where they are no run of one film's frames."""
        if not pictures or not all(isinstance(picture, str) for picture in pictures):
            return None
        return self._tree.frames.part_of(pictures)

    def leave_out_pictures(self, pictures: Sequence[Any], file: str) -> None:
        """Records a row whose film is a list of pictures that are not there, or not in their order."""
        stated = str(pictures[0])[:200] if pictures else ""
        self._no_frames[file] = self._no_frames.get(file) or stated
        self._account.leave_out(self._account.row_of(file), _NO_FRAMES, stated=stated)

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
        """The layout; None, with a problem in the tree, when none of the named clips was uploaded.

        Args:
            columns: the source of each value: {"caption": "text"}.
            notes: sentences of the reader itself, which come first.
        """
        named = " and ".join(PurePosixPath(file).name for file in self.files[:2]) or "The list"
        folder_splits = splits_by_folder(self._tree.videos) if self._rows else {}
        matched = MatchedRows(self._account, folder_splits)
        matches = match_clips(self._tree.index, [row.clip for row in self._rows])
        for row, match in zip(self._rows, matches, strict=True):
            matched.add(row, match)
        if not matched.entries:
            self._tree.problems += _sample_notes(self._samples) + self._no_frames_notes()
            if problem := matched.problem_of_all(named):
                self._tree.problems.append(problem)
            return None
        return DetectedLayout(
            self._key,
            self._title,
            [*matched.entries.values(), *self._left_out(named, matched)],
            self.files,
            columns or {},
            [
                *(notes or []),
                *_sample_notes(self._samples),
                *self._no_frames_notes(),
                *matched.notes(named),
                *_other_split_notes(self._other_splits),
                *_mark_notes(self._marks),
                *_unanswered_note(self._unanswered, named),
            ],
            [*self._not_used.groups(), *self._account.not_used(self.files)],
        )

    def _no_frames_notes(self) -> list[str]:
        return [
            f"{PurePosixPath(file).name} lists pictures that are no run of a film's frames; such rows are left out "
            f"(the first begins with {first})."
            for file, first in self._no_frames.items()
        ]

    def _left_out(self, named: str, matched: MatchedRows) -> list[Entry]:
        """The uploaded clips that no row describes, and the first of the named ones that were not uploaded."""
        described = {name for name, _ in matched.entries}
        others = (name for name in self._tree.videos if name not in described)
        problems = {name: f"{PurePosixPath(name).name} is not named in {named}." for name in others}
        problems |= matched.problems | self._problems
        problems |= {
            name: f"{PurePosixPath(name).name or 'A clip'} is named in {named} but was not uploaded."
            for name in list(dict.fromkeys(matched.missing))[:MAX_MISSING_LISTED]
        }
        return [Entry(name, problem=problem) for name, problem in problems.items() if name not in described]


def _sample_notes(samples: Mapping[str, int]) -> list[str]:
    return [
        f"{count:,} {'row' if count == 1 else 'rows'} of {PurePosixPath(file).name} "
        f"{'is' if count == 1 else 'are'} about several films at once and left out: a sample has one film here."
        for file, count in samples.items()
    ]


def _other_split_notes(words: Mapping[str, Mapping[str, int]]) -> list[str]:
    return [
        f"{PurePosixPath(file).name} has rows with a split that is neither train, validation nor test "
        f"({', '.join(f'{word}: {count:,}' for word, count in list(of_file.items())[:_MAX_SPLITS])}). "
        "They may be used for training or validation."
        for file, of_file in words.items()
    ]


def _mark_notes(marks: Mapping[str, int]) -> list[str]:
    return [
        f"{count:,} {'row' if count == 1 else 'rows'} of {PurePosixPath(file).name} "
        f"{'has' if count == 1 else 'have'} marks of direction or signs of a private font, which are left out."
        for file, count in marks.items()
        if count
    ]


def _has_marks(value: Any) -> bool:
    """Whether one of the texts in a value has characters that its normalized form leaves out."""
    if isinstance(value, str):
        return dropped_characters(value)
    return isinstance(value, list | tuple) and any(map(_has_marks, value))


def _texts_of(talk: Conversation) -> list[str]:
    return [talk.system, *(text for turn in talk.turns for text in (turn.question, turn.answer, *turn.options))]


def _unanswered_note(count: int, named: str) -> list[str]:
    if not count:
        return []
    questions = "1 question has" if count == 1 else f"{count:,} questions have"
    return [f"{questions} no answer in {named}, and {'is' if count == 1 else 'are'} left out."]


def _is_name(value: Any) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool)
