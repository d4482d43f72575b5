"""The counts that a dataset keeps of its own clips."""

from collections import Counter

from sqlmodel import Session, select

from orchestrator.domain.datasets import Clip, ClipStatus, Dataset
from orchestrator.domain.tasks import TASKS


def update_counts(session: Session, dataset: Dataset) -> Counter[str]:
    """Counts the clips in the database again and sets the dataset's counts, size and class names.

    Returns:
        The number of usable clips by label.
    """
    rows = session.exec(select(Clip.label, Clip.status, Clip.size_bytes).where(Clip.dataset_id == dataset.id)).all()
    usable = [(label, size) for label, status, size in rows if status is ClipStatus.OK]
    by_label = Counter(label for label, _ in usable)
    dataset.class_names = sorted(by_label) if TASKS[dataset.task].has_classes else []
    dataset.clip_count, dataset.bad_count = len(usable), len(rows) - len(usable)
    dataset.size_bytes = sum(size for _, size in usable)
    session.add(dataset)
    session.flush()
    return by_label
