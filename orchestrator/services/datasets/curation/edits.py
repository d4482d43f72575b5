"""Edits of clips, one or thousands at once: each makes a new version of the dataset and can be undone."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import inf

from sqlmodel import Session, select

from orchestrator.domain import formatting
from orchestrator.domain.annotations import (
    LABEL_LIMIT,
    TEXT_LIMIT,
    Annotations,
    Conversation,
    Span,
    annotation_problem,
    with_label,
    with_text,
)
from orchestrator.domain.audit import Act
from orchestrator.domain.datasets import Clip, ClipStatus, Dataset, DatasetEdit, Split
from orchestrator.domain.errors import Conflict, Invalid, NotFound
from orchestrator.domain.split_rule import SplitClip, split_rank, stratified, with_uncut_films
from orchestrator.domain.tasks import TASKS, Annotation
from orchestrator.domain.users import Actor
from orchestrator.services.access import owned_clip
from orchestrator.services.after_commit import after_commit
from orchestrator.services.audit.recording import record
from orchestrator.services.datasets.counts import update_counts
from orchestrator.services.datasets.curation import history
from orchestrator.services.datasets.curation.near_duplicates import near_pairs, similar_groups
from orchestrator.services.datasets.curation.new_version import Edits, clips_with_ids, editable, write_version
from orchestrator.services.datasets.curation.versions import EditRow, count_clips
from orchestrator.services.datasets.rows import ClipRow, clip_row
from orchestrator.services.datasets.text_repair import normalize_text
from orchestrator.services.datasets.usable import annotation_gap
from orchestrator.settings import get_settings


@dataclass(frozen=True, slots=True)
class Change:
    """New values; None leaves a value as it is.

    Attributes:
        label: the only label. Not together with `labels`.
        caption: the text that a list shows: the first caption, or the first answer. Not together with the lists.
        labels, captions, conversations: all that the clip has of this kind.
        start_s, end_s: the part of the film, in seconds.
        whole_film: the clip is no longer a part of its film. Not together with `start_s` or `end_s`.
        status: ok or quarantined.
    """

    label: str | None = None
    caption: str | None = None
    split: str | None = None
    status: str | None = None
    labels: Sequence[str] | None = None
    captions: Sequence[str] | None = None
    conversations: Sequence[Conversation] | None = None
    start_s: float | None = None
    end_s: float | None = None
    whole_film: bool = False

    def annotated(self, before: Annotations) -> Annotations:
        """The annotations of a clip after this change."""
        after = before if self.label is None else with_label(before, self.label)
        after = after if self.labels is None else replace(after, labels=tuple(self.labels))
        after = after if self.captions is None else replace(after, captions=tuple(self.captions))
        after = after if self.conversations is None else replace(after, conversations=tuple(self.conversations))
        return after if self.caption is None else with_text(after, self.caption)

    def span_of(self, clip: Clip) -> Span | None:
        """The part of the film that the clip is after this change; None for all of it."""
        if self.whole_film:
            return None
        if self.start_s is None and self.end_s is None:
            return clip.span
        start_s = self.start_s if self.start_s is not None else clip.start_s or 0.0
        end_s = self.end_s if self.end_s is not None else (clip.end_s if clip.end_s is not None else clip.film_s)
        return Span(start_s, end_s)

    def write_to(self, clip: Clip) -> None:
        """Changes one clip."""
        if (annotations := self.annotated(clip.annotated)) != clip.annotated:
            clip.annotate(annotations)
        if (span := self.span_of(clip)) != clip.span:
            clip.cut(span)
        clip.split = clip.split if self.split is None else Split(self.split)
        clip.status = clip.status if self.status is None else ClipStatus(self.status)


def edit_clips(
    session: Session, actor: Actor, dataset_id: int, clip_ids: Sequence[int], change: Change, what: str = ""
) -> EditRow | None:
    """Makes the same change to each of these clips, or to none of them.

    Args:
        what: the description of the edit; "" for a generated one.

    Returns:
        The edit; None when it changes nothing.

    Raises:
        Invalid: `problems` by field. Conflict: the dataset is the demo, is not ready, or too few clips would be left.
        NotFound.
    """
    dataset = editable(session, actor, dataset_id)
    change = _validated(dataset, change)
    clips = clips_with_ids(session, dataset_id, clip_ids)
    for clip in clips:
        _check(dataset, clip, change)
    edits: Edits = [(clip, change.write_to) for clip in clips]
    return write_version(session, actor, dataset, edits, what or partial(_describe, change))


def _check(dataset: Dataset, clip: Clip, change: Change) -> None:
    """Checks a change of one clip.

    Raises:
        Invalid: its annotations or its span would be none. Conflict: its status cannot be set.
    """
    annotations, span = change.annotated(clip.annotated), change.span_of(clip)
    if annotations != clip.annotated and (problem := annotation_problem(annotations)):
        raise Invalid(problem[1], problem[0])
    if span is not None and span != clip.span and not 0 <= span.start_s < span.end_s < inf:
        raise Invalid("The end of a span comes after its start, and the start is 0 or later.", "end_s")
    if span is not None and span != clip.span and clip.film_s and span.end_s > clip.film_s:
        raise Invalid(f"{clip.name} lasts {round(clip.film_s, 2):g} s. Choose an earlier end.", "end_s")
    if change.status is not None and clip.status is ClipStatus.BAD:
        raise Conflict(f"{clip.name} is damaged and stays left out. Delete it, or add it again.", "status")
    if change.status == ClipStatus.OK and (gap := annotation_gap(dataset.task, clip.name, annotations)):
        word = TASKS[dataset.task].annotation.spec.word
        missing = f"{clip.name} has no {word} yet. Write one, and the clip is used."
        raise Conflict(gap[1] if annotations and clip.annotated else missing, "status")


def assign_splits(session: Session, actor: Actor, dataset_id: int, share: float, seed: int = 42) -> EditRow | None:
    """Assigns `share` of each class to validation and the rest to training; the same seed draws the same clips.

    Near-duplicates, and the spans of a film, stay in the same split.

    Raises:
        Invalid: `share` is not between 0.05 and 0.5. Conflict: the dataset cannot be edited. NotFound.
    """
    if not 0.05 <= share <= 0.5:
        raise Invalid("Hold out between 5 and 50 percent.", "share")
    dataset = editable(session, actor, dataset_id)
    usable = session.exec(select(Clip).where(Clip.dataset_id == dataset_id, Clip.status == ClipStatus.OK)).all()
    near_duplicates = similar_groups(near_pairs([(clip.id or 0, clip.perceptual_hash) for clip in usable]))
    has_classes = TASKS[dataset.task].has_classes
    clips = [
        SplitClip(
            clip.id or 0,
            clip.annotated.labels if has_classes else (),
            "auto",
            clip.content_hash,
            clip.span is not None,
        )
        for clip in usable
    ]
    if not usable:
        raise Conflict("No clip is in use yet, so that there is nothing to split.")
    validation = stratified(clips, share, lambda clip: split_rank(clip, seed), near_duplicates)
    held_out = with_uncut_films(clips, validation)
    sides = {True: Change(split=Split.VALIDATION).write_to, False: Change(split=Split.TRAIN).write_to}
    edits: Edits = [(clip, sides[clip.id in held_out]) for clip in usable]
    part = formatting.percent(share)
    return write_version(session, actor, dataset, edits, f"{part} of each class held out for validation, seed {seed}")


def undo_edit(session: Session, actor: Actor, dataset_id: int | None, edit_id: int) -> EditRow | None:
    """Reverts an edit by a new edit; values that were changed again since stay as they are.

    Args:
        dataset_id: None for the dataset that the edit belongs to.

    Raises:
        Conflict: it was undone already. NotFound.
    """
    edit = session.get(DatasetEdit, edit_id)
    if edit is None or dataset_id not in (None, edit.dataset_id):
        raise NotFound("There is no such edit.")
    dataset = editable(session, actor, edit.dataset_id)
    if edit.undone:
        raise Conflict("This edit was undone already.")
    clips = clips_with_ids(session, edit.dataset_id, [int(clip_id) for clip_id in edit.changes], missing_ok=True)
    edits: Edits = [(clip, partial(history.undo, fields=edit.changes[str(clip.id)])) for clip in clips]
    edit.undone = True
    session.add(edit)
    return write_version(session, actor, dataset, edits, f"Version {edit.version} undone", back=True)


def delete_bad_clips(session: Session, actor: Actor, dataset_id: int, clip_ids: Sequence[int]) -> int:
    """Deletes damaged clips. They were never trained on, so that this makes no new version.

    Returns:
        How many were deleted.

    Raises:
        Conflict: they were usable in an older version. NotFound.
    """
    dataset = editable(session, actor, dataset_id)
    changes = session.exec(select(DatasetEdit.changes).where(DatasetEdit.dataset_id == dataset_id))
    once_usable = {int(clip_id) for edit in changes for clip_id, fields in edit.items() if "status" in fields}
    bad = [clip for clip in clips_with_ids(session, dataset_id, clip_ids) if clip.status is ClipStatus.BAD]
    clips = [clip for clip in bad if clip.id not in once_usable]
    if bad and not clips:
        raise Conflict("These clips are part of an older version of this dataset, which a job may still use.")
    paths = {name for clip in clips for name in (clip.path, clip.thumbnail_path) if name}
    for clip in clips:
        session.delete(clip)
    session.flush()
    # Duplicates share one file, which the remaining clip still needs.
    remaining = session.exec(select(Clip.path, Clip.thumbnail_path).where(Clip.dataset_id == dataset_id))
    paths -= {name for pair in remaining for name in pair}
    update_counts(session, session.get_one(Dataset, dataset_id))
    root = get_settings().storage_dir
    after_commit(session, lambda: [(root / name).unlink(missing_ok=True) for name in paths])
    if clips:
        after = {"edit": "damaged clips deleted", "clips": len(clips)}
        record(session, actor, Act.DATASET_EDITED, dataset_id, dataset.name, after=after)
    return len(clips)


def _validated(dataset: Dataset, change: Change) -> Change:
    """The change with its texts cleaned.

    Raises:
        Invalid: `problems` by field.
    """
    problems: list[tuple[str, str]] = []
    annotation = TASKS[dataset.task].annotation
    least_label, least_caption = int(annotation is Annotation.LABEL), int(annotation is Annotation.CAPTION)
    label = None if change.label is None else normalize_text(change.label).strip()
    labels = None if change.labels is None else [normalize_text(name).strip() for name in change.labels]
    caption = None if change.caption is None else change.caption.strip()
    if label is not None and not least_label <= len(label) <= LABEL_LIMIT:
        problems.append(("label", f"A label has 1 to {LABEL_LIMIT:,} characters."))
    if caption is not None and not least_caption <= len(caption) <= TEXT_LIMIT:
        problems.append(("caption", f"A caption has 1 to {TEXT_LIMIT:,} characters."))
    if label is not None and change.labels is not None:
        problems.append(("label", "Give the label or the list of labels, not both."))
    if caption is not None and (change.captions is not None or change.conversations is not None):
        problems.append(("caption", "Give the caption or the lists, not both."))
    if change.whole_film and (change.start_s is not None or change.end_s is not None):
        problems.append(("start_s", "Give the times of a part, or ask for the whole film, not both."))
    if change.split is not None and change.split not in list(Split):
        problems.append(("split", f"Choose from: {', '.join(Split)}."))
    if change.status is not None and change.status not in (ClipStatus.OK, ClipStatus.QUARANTINED):
        problems.append(("status", "Choose from: ok, quarantined."))
    if problems:
        raise Invalid(problems[0][1], problems[0][0], problems)
    texts, talks = change.captions, change.conversations
    return replace(
        change,
        label=None if label is None else class_name_of(dataset, label),
        caption=caption,
        labels=None if labels is None else [class_name_of(dataset, name) for name in labels],
        captions=None if texts is None else [text.strip() for text in texts],
        conversations=None if talks is None else [talk.rewritten(str.strip) for talk in talks],
    )


def class_name_of(dataset: Dataset, label: str) -> str:
    """The class that equals a label after normalization, or the label."""
    return next((name for name in dataset.class_names if label and normalize_text(name) == label), label)


def _describe(change: Change, count: int) -> str:
    """The description of an edit, for the list of versions."""
    words: list[str] = []
    labels = [change.label] if change.label is not None else change.labels
    if labels is not None:
        text = ", ".join(labels)
        words.append(f"label {text if len(text) <= 60 else text[:59] + '…'}")
    if change.caption is not None:
        words.append("a new caption")
    if change.captions is not None:
        words.append("new captions")
    if change.conversations is not None:
        words.append("new questions and answers")
    if change.start_s is not None or change.end_s is not None:
        words.append("a new span")
    if change.whole_film:
        words.append("the whole film")
    if change.split is not None:
        words.append(f"split {change.split}")
    if change.status is not None:
        words.append("left out" if change.status == ClipStatus.QUARANTINED else "used again")
    return f"{count_clips(count)}: " + ", ".join(words)


def update_clip(session: Session, actor: Actor, clip_id: int, change: Change) -> ClipRow:
    """Changes one clip.

    Raises:
        Invalid: `problems` by field. Conflict: see `edit_clips`. NotFound.
    """
    clip = owned_clip(session, actor, clip_id)
    edit_clips(session, actor, clip.dataset_id, [clip_id], change)
    session.refresh(clip)
    return clip_row(clip)
