"""Counts the clips of the training and the validation split, before the launch."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import and_, func, or_
from sqlalchemy import select as select_columns
from sqlmodel import Session, col, select

from orchestrator.domain.annotations import annotations_of
from orchestrator.domain.datasets import Clip, ClipStatus, Split
from orchestrator.domain.split_rule import SplitClip, by_class, validation_count, validation_ids
from orchestrator.services.datasets.annotation_conditions import in_short_form
from orchestrator.services.datasets.curation.versions import clips_at


@dataclass(frozen=True, slots=True)
class SplitCounts:
    """How many clips each split has."""

    train: int
    validation: int
    classes: int
    """Different labels among them."""
    has_several_labels: bool = False
    """Whether any clip has several labels."""


def count_split(session: Session, dataset_id: int, share: float, version: int = 0, seed: int = 42) -> SplitCounts:
    """Counts the usable clips of each split.

    A dataset with validation clips keeps its own split. Else `share` of each class goes to validation, by the same rule
    as in the trainer (domain/split_rule.py).

    Args:
        version: an older version of the dataset; 0 for the newest.
        seed: which clips are drawn; counts depend on it only where clips are spans of films or have several labels.
    """
    if version:
        clips = [split_clip(clip) for clip in clips_at(session, dataset_id, version)]
        return _count_by_rule(clips, share, seed)
    if _is_drawn_by_clip(session, dataset_id):
        return _count_by_rule(_newest_clips(session, dataset_id), share, seed)
    groups = _newest_groups(session, dataset_id)
    labels = len({label for label, _, _ in groups})
    total = sum(count for _, _, count in groups)
    marked = sum(count for _, split, count in groups if split is Split.VALIDATION)
    if marked:
        return SplitCounts(total - marked, marked, labels)
    classes: dict[str, int] = {}
    for label, split, count in groups:
        if split is Split.AUTO:
            classes[label] = classes.get(label, 0) + count
    validation = sum(validation_count(count, share) for count in classes.values())
    return SplitCounts(total - validation, validation, labels)


def _is_drawn_by_clip(session: Session, dataset_id: int) -> bool:
    """Whether a clip is a span of a film or may have several labels, so that sums by class do not say the counts."""
    several = and_(~in_short_form(), col(Clip.label) != "")
    usable = (Clip.dataset_id == dataset_id, Clip.status == ClipStatus.OK)
    found = select(Clip.id).where(*usable, or_(col(Clip.start_s).is_not(None), several))
    return session.exec(found.limit(1)).first() is not None


def split_clip(clip: Clip) -> SplitClip:
    """What the rule knows of a clip."""
    content = clip.content_hash or clip.path
    return SplitClip(clip.id or 0, clip.annotated.labels, clip.split.value, content, clip.span is not None)


def _count_by_rule(clips: Sequence[SplitClip], share: float, seed: int) -> SplitCounts:
    """The counts by the rule itself: a film's spans go to one side together, and several labels are drawn at once."""
    validation = len(validation_ids(clips, share, seed))
    several = any(len(clip.labels) > 1 for clip in clips)
    return SplitCounts(len(clips) - validation, validation, len(by_class(clips)), several)


def _newest_clips(session: Session, dataset_id: int) -> list[SplitClip]:
    """What the rule knows of each usable clip."""
    columns = [
        *(col(Clip.id), col(Clip.label), col(Clip.annotations), col(Clip.split)),
        *(col(Clip.content_hash), col(Clip.path), col(Clip.start_s)),
    ]
    usable = select_columns(*columns).where(col(Clip.dataset_id) == dataset_id, col(Clip.status) == ClipStatus.OK)
    return [
        SplitClip(
            clip_id or 0,
            annotations_of(label, "", "", more).labels,
            Split(split).value,
            content_hash or path,
            start_s is not None,
        )
        for clip_id, label, more, split, content_hash, path, start_s in session.execute(usable.order_by(col(Clip.id)))
    ]


def _newest_groups(session: Session, dataset_id: int) -> list[tuple[str, Split, int]]:
    """(label, split, number of clips)."""
    statement = (
        select(Clip.label, Clip.split, func.count(col(Clip.id)))
        .where(Clip.dataset_id == dataset_id, Clip.status == ClipStatus.OK)
        .group_by(col(Clip.label), col(Clip.split))
    )
    return [(label, Split(split), count) for label, split, count in session.exec(statement)]
