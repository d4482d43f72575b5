"""The counts that a dataset keeps of its own clips."""

from collections import Counter

from sqlmodel import Session, col, select

from orchestrator.domain.datasets import Clip, ClipStatus, Dataset
from orchestrator.domain.tasks import TASKS


def update_counts(session: Session, dataset: Dataset) -> Counter[str]:
    """Counts the clips in the database again and sets the dataset's counts, size and class names.

    Returns:
        The number of usable clips by label; a clip with several labels counts for each.
    """
    of_dataset = Clip.dataset_id == dataset.id
    rows = session.exec(select(Clip.label, col(Clip.annotations), Clip.status).where(of_dataset)).all()
    usable = [(label, more) for label, more, status in rows if status is ClipStatus.OK]
    by_label = Counter(name for label, more in usable for name in more.labels or (label,))
    dataset.class_names = sorted(by_label) if TASKS[dataset.task].has_classes else []
    dataset.clip_count, dataset.bad_count = len(usable), len(rows) - len(usable)
    sizes = select(Clip.content_hash, Clip.id, Clip.size_bytes).where(of_dataset, Clip.status == ClipStatus.OK)
    # Spans of one film share its file.
    dataset.size_bytes = sum(
        {(content_hash or clip_id): size for content_hash, clip_id, size in session.exec(sizes)}.values()
    )
    session.add(dataset)
    session.flush()
    return by_label
