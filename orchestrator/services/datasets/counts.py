"""The counts that a dataset keeps of its own clips."""

from collections import Counter

from sqlalchemy import ColumnElement, func
from sqlmodel import Session, col, select

from orchestrator.domain.datasets import Clip, ClipStatus, Dataset
from orchestrator.domain.tasks import TASKS
from orchestrator.services.datasets.annotation_conditions import in_short_form


def update_counts(session: Session, dataset: Dataset) -> Counter[str]:
    """Counts the clips in the database again and sets the dataset's counts, size and class names.

    Returns:
        The number of usable clips by label; a clip with several labels counts for each.
    """
    of_dataset = Clip.dataset_id == dataset.id
    by_label = labels_in_use(session, dataset)
    dataset.class_names = sorted(by_label) if TASKS[dataset.task].has_classes else []
    by_status = select(Clip.status, func.count(col(Clip.id))).where(of_dataset).group_by(col(Clip.status))
    statuses = {status: int(number) for status, number in session.exec(by_status)}
    dataset.clip_count = statuses.pop(ClipStatus.OK, 0)
    dataset.bad_count = sum(statuses.values())
    usable, has_hash = (of_dataset, Clip.status == ClipStatus.OK), col(Clip.content_hash) != ""
    # Spans of one film share its file.
    by_film = select(func.max(Clip.size_bytes).label("size")).where(*usable, has_hash).group_by(Clip.content_hash)
    films = session.exec(select(func.sum(by_film.subquery().c.size))).one()
    others = session.exec(select(func.sum(Clip.size_bytes)).where(*usable, ~has_hash)).one()
    dataset.size_bytes = int(films or 0) + int(others or 0)
    session.add(dataset)
    session.flush()
    return by_label


def labels_in_use(session: Session, dataset: Dataset) -> Counter[str]:
    """The number of usable clips by label; a clip with several labels counts for each, one without any under ""."""
    return label_counts(session, (col(Clip.dataset_id) == dataset.id, col(Clip.status) == ClipStatus.OK))


def label_counts(session: Session, where: tuple[ColumnElement[bool], ...]) -> Counter[str]:
    """How many of some clips have each label; a clip with several labels counts for each, one without any under ""."""
    single = select(Clip.label, func.count()).where(*where, in_short_form()).group_by(col(Clip.label))
    counts = Counter({label: int(number) for label, number in session.exec(single)})
    for annotations in session.exec(select(col(Clip.annotations)).where(*where, ~in_short_form())):
        counts.update(annotations.labels or ("",))
    return counts
