"""The counts that a dataset keeps of its own clips."""

from collections import Counter

from sqlalchemy import func
from sqlmodel import Session, col, select

from orchestrator.domain.datasets import Clip, ClipStatus, Dataset
from orchestrator.domain.tasks import TASKS


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
    sizes = select(Clip.content_hash, Clip.id, Clip.size_bytes).where(of_dataset, Clip.status == ClipStatus.OK)
    # Spans of one film share its file.
    dataset.size_bytes = sum(
        {(content_hash or clip_id): size for content_hash, clip_id, size in session.exec(sizes)}.values()
    )
    session.add(dataset)
    session.flush()
    return by_label


def labels_in_use(session: Session, dataset: Dataset) -> Counter[str]:
    """The number of usable clips by label; a clip with several labels counts for each, one without any under ""."""
    usable = select(Clip.label, col(Clip.annotations)).where(
        Clip.dataset_id == dataset.id, Clip.status == ClipStatus.OK
    )
    return Counter(name for label, more in session.exec(usable) for name in more.labels or (label,))
