"""Counts the clips of the training and the validation split, before the launch."""

from collections import Counter
from dataclasses import dataclass

from sqlalchemy import func
from sqlmodel import Session, col, select

from orchestrator.domain.datasets import Clip, ClipStatus, Split
from orchestrator.domain.split_rule import SplitClip, validation_count, validation_ids
from orchestrator.services.datasets.curation.versions import clips_at


@dataclass(frozen=True, slots=True)
class SplitCounts:
    """How many clips each split has."""

    train: int
    validation: int
    classes: int
    """Different labels among them."""


def count_split(session: Session, dataset_id: int, share: float, version: int = 0, seed: int = 42) -> SplitCounts:
    """Counts the usable clips of each split.

    A dataset with validation clips keeps its own split. Else `share` of each class goes to validation, by the same rule
    as in the trainer (domain/split_rule.py).

    Args:
        version: an older version of the dataset; 0 for the newest.
        seed: which films are drawn; counts depend on it only where clips are spans of films.
    """
    if _has_spans(session, dataset_id):
        return _count_films(session, dataset_id, share, version, seed)
    groups = _groups_at(session, dataset_id, version) if version else _newest_groups(session, dataset_id)
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


def _has_spans(session: Session, dataset_id: int) -> bool:
    spans = select(Clip.id).where(Clip.dataset_id == dataset_id, col(Clip.start_s).is_not(None))
    return session.exec(spans.limit(1)).first() is not None


def _count_films(session: Session, dataset_id: int, share: float, version: int, seed: int) -> SplitCounts:
    """The counts where clips are spans: a film's spans go to one side together."""
    newest = select(Clip).where(Clip.dataset_id == dataset_id, Clip.status == ClipStatus.OK).order_by(col(Clip.id))
    found = clips_at(session, dataset_id, version) if version else session.exec(newest).all()
    clips = [
        SplitClip(clip.id or 0, clip.label, clip.split.value, clip.content_hash or clip.path, clip.span is not None)
        for clip in found
    ]
    validation = len(validation_ids(clips, share, seed))
    return SplitCounts(len(clips) - validation, validation, len({clip.label for clip in clips}))


def _newest_groups(session: Session, dataset_id: int) -> list[tuple[str, Split, int]]:
    """(label, split, number of clips)."""
    statement = (
        select(Clip.label, Clip.split, func.count(col(Clip.id)))
        .where(Clip.dataset_id == dataset_id, Clip.status == ClipStatus.OK)
        .group_by(col(Clip.label), col(Clip.split))
    )
    return [(label, Split(split), count) for label, split, count in session.exec(statement)]


def _groups_at(session: Session, dataset_id: int, version: int) -> list[tuple[str, Split, int]]:
    counts = Counter((clip.label, clip.split) for clip in clips_at(session, dataset_id, version))
    return [(label, split, count) for (label, split), count in counts.items()]
