"""Counts the clips of the training and the validation split, before the launch."""

from dataclasses import dataclass

from sqlalchemy import func
from sqlmodel import Session, col, select

from orchestrator.domain.datasets import Clip, ClipStatus, Split
from orchestrator.domain.split_rule import validation_count


@dataclass(frozen=True, slots=True)
class SplitCounts:
    """How many clips each split has."""

    train: int
    validation: int


def count_split(session: Session, dataset_id: int, share: float) -> SplitCounts:
    """Counts the usable clips of each split.

    A dataset with validation clips keeps its own split. Else `share` of each class goes to validation, by the same rule
    as in the trainer (domain/split_rule.py).
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
    validation = sum(validation_count(count, share) for count in classes.values())
    return SplitCounts(total - validation, validation)
