"""How many clips a run learns from and how many it is measured on, counted before the launch."""

from dataclasses import dataclass

from sqlalchemy import func
from sqlmodel import Session, col, select

from orchestrator.domain.datasets import Clip, ClipStatus, Split
from orchestrator.domain.split_rule import validation_count


@dataclass(frozen=True, slots=True)
class SplitCounts:
    """Clips on each side of the split."""

    train: int
    validation: int


def count_split(session: Session, dataset_id: int, share: float) -> SplitCounts:
    """Counts the good clips on each side.

    Where the dataset marks validation clips, its own split holds; else `share` of each class is held out,
    at least one clip of a class with two.
    """
    statement = (
        select(Clip.label, Clip.split, func.count(col(Clip.id)))
        .where(Clip.dataset_id == dataset_id, Clip.status == ClipStatus.OK)
        .group_by(col(Clip.label), col(Clip.split))
    )
    groups = list(session.exec(statement))
    total = sum(count for _, _, count in groups)
    marked = sum(count for _, split, count in groups if split is Split.VALIDATION)
    if marked:
        return SplitCounts(total - marked, marked)
    classes: dict[str, int] = {}
    for label, split, count in groups:
        if split is Split.AUTO:
            classes[label] = classes.get(label, 0) + count
    held = sum(validation_count(count, share) for count in classes.values())
    return SplitCounts(total - held, held)
