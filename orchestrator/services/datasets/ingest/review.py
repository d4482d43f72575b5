"""The review of a detected layout: the user sees it and accepts or corrects it before the files are imported."""

from collections import Counter
from typing import Any

from sqlalchemy import update
from sqlmodel import Session, col

from orchestrator.domain.audit import Act
from orchestrator.domain.base import utcnow
from orchestrator.domain.datasets import REVIEW, Dataset, DatasetStatus, Split
from orchestrator.domain.errors import Conflict
from orchestrator.domain.machines import PREP
from orchestrator.domain.redis_keys import TASK_INGEST
from orchestrator.domain.tasks import Task
from orchestrator.domain.users import Actor
from orchestrator.services.access import owned_dataset
from orchestrator.services.after_commit import after_commit
from orchestrator.services.audit.recording import record
from orchestrator.services.datasets.ingest.import_clips import reason_not_to_use
from orchestrator.services.datasets.ingest.layouts.entry import DetectedLayout
from orchestrator.services.datasets.ingest.uploads import import_share
from orchestrator.services.datasets.rows import DatasetRow, dataset_row
from orchestrator.services.db import session_scope
from orchestrator.services.queue import enqueue, ingest_key

_MAX_CLASSES = 40
BEFORE = "before"
"""Key of a layout in review: the layout of the clips that the dataset has already."""


def layout_preview(task: Task, layout: DetectedLayout) -> dict[str, Any]:
    """The result that an import with this layout would have, without probing any clip.

    Returns:
        {"clips", "left_out", "why": [sentences], "class_count", "classes": {name: clips, the largest first},
        "labels", "captions", "conversations", "turns": questions with answers, "spans": clips that are a span of a
        film, "films": files of which clips are made, "splits": {split: clips}}.
    """
    reasons = {entry.key: reason_not_to_use(task, entry, layout) for entry in layout.entries}
    usable = [entry for entry in layout.entries if not reasons[entry.key]]
    problems = [reason[1] for reason in reasons.values() if reason]
    classes = Counter(label for entry in usable for label in entry.annotations.labels)
    conversations = [talk for entry in usable for talk in entry.annotations.conversations]
    splits = Counter(entry.split for entry in usable)
    return {
        "clips": len(usable),
        "left_out": len(problems),
        "why": problems[:3],
        "class_count": len(classes),
        "classes": dict(classes.most_common(_MAX_CLASSES)),
        "labels": sum(len(entry.annotations.labels) for entry in usable),
        "captions": sum(len(entry.annotations.captions) for entry in usable),
        "conversations": len(conversations),
        "turns": sum(len(talk.turns) for talk in conversations),
        "spans": sum(1 for entry in usable if entry.span),
        "films": len({entry.name for entry in usable}),
        "splits": {split.value: splits[split] for split in Split if splits[split]},
    }


def await_review(dataset_id: int, layout_summary: dict[str, Any], problem: str = "") -> str:
    """Puts a dataset into the stage `REVIEW`, in which its files wait for the user.

    Args:
        layout_summary: the summary with its `preview`; {} keeps the last one, where a correction could not be followed.
        problem: the reason why it could not be followed.

    Returns:
        REVIEW, or "called off" where the dataset is not processed any more.
    """
    with session_scope() as session:
        dataset = session.get(Dataset, dataset_id)
        if dataset is None or dataset.status is not DatasetStatus.PROCESSING:
            return "called off"
        if layout_summary:
            before = dataset.layout.get(BEFORE) or (dataset.layout if dataset.clip_count else {})
            dataset.layout = layout_summary | ({BEFORE: before} if before else {})
        dataset.stage, dataset.error, dataset.updated_at = REVIEW, problem[:1000], utcnow()
        dataset.progress_done = dataset.progress_total = 0
        session.add(dataset)
    return REVIEW


def accept_layout(session: Session, actor: Actor, dataset_id: int) -> DatasetRow:
    """Accepts the detected layout: a worker imports the files.

    Raises:
        Conflict: no layout waits for a review. NotFound.
    """
    dataset = owned_dataset(session, actor, dataset_id)
    in_review = update(Dataset).where(
        col(Dataset.id) == dataset_id, col(Dataset.status) == DatasetStatus.PROCESSING, col(Dataset.stage) == REVIEW
    )
    if not session.exec(in_review.values(stage="", error="", updated_at=utcnow())).rowcount:
        raise Conflict("There is nothing to accept here. It may have been accepted or stopped already.")
    session.refresh(dataset)
    share = import_share(session, dataset)
    record(session, actor, Act.DATASET_IMPORT_REQUESTED, dataset_id, dataset.name, after={"accepted": True})
    after_commit(session, lambda: enqueue(TASK_INGEST, ingest_key(dataset_id), PREP, share, dataset_id=dataset_id))
    return dataset_row(dataset)


def layout_before_review(layout: dict[str, Any]) -> dict[str, Any]:
    """The layout of the existing clips, when a review is cancelled."""
    return dict(layout.get(BEFORE) or {}) if "preview" in layout else layout
