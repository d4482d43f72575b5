"""The step between understanding new files and taking them in: a person sees what was understood, and accepts it."""

from collections import Counter
from typing import Any

from sqlalchemy import update
from sqlmodel import Session, col

from orchestrator.domain.base import utcnow
from orchestrator.domain.datasets import REVIEW, Dataset, DatasetStatus, Split
from orchestrator.domain.errors import Conflict
from orchestrator.domain.machines import PREP
from orchestrator.domain.redis_keys import TASK_INGEST
from orchestrator.domain.tasks import Task
from orchestrator.domain.users import Actor
from orchestrator.services.access import owned_dataset
from orchestrator.services.after_commit import after_commit
from orchestrator.services.datasets.ingest.import_clips import lack_of
from orchestrator.services.datasets.ingest.layouts.entry import Understood
from orchestrator.services.datasets.ingest.layouts.tree import is_video
from orchestrator.services.datasets.rows import DatasetRow, dataset_row
from orchestrator.services.db import session_scope
from orchestrator.services.queue import enqueue, ingest_key

_CLASSES = 40
BEFORE = "before"
"""In a layout that waits: the one of the clips that are there already."""


def preview_of(task: Task, seen: Understood) -> dict[str, Any]:
    """What would come of it, before any clip is opened.

    Returns:
        {"clips", "left_out", "why": [sentences], "class_count", "classes": {name: clips, the largest first},
        "captions", "splits": {split: clips}}.
    """
    lacks = {entry.name: lack_of(task, entry, seen) for entry in seen.entries}
    good = [entry for entry in seen.entries if not lacks[entry.name] and is_video(entry.name)]
    why = [lack for lack in lacks.values() if lack]
    classes = Counter(entry.label for entry in good if entry.label)
    splits = Counter(entry.split for entry in good)
    return {
        "clips": len(good),
        "left_out": len(why),
        "why": why[:3],
        "class_count": len(classes),
        "classes": dict(classes.most_common(_CLASSES)),
        "captions": sum(1 for entry in good if entry.caption),
        "splits": {split.value: splits[split] for split in Split if splits[split]},
    }


def await_review(dataset_id: int, said: dict[str, Any], problem: str = "") -> str:
    """The files wait, unread, for somebody to accept how they would be read.

    Args:
        said: the summary with its `preview`; {} leaves the last one, when a correction could not be followed.
        problem: the sentence that says why not.
    """
    with session_scope() as session:
        dataset = session.get(Dataset, dataset_id)
        if dataset is None or dataset.status is not DatasetStatus.PROCESSING:
            return "called off"
        if said:
            before = dataset.layout.get(BEFORE) or (dataset.layout if dataset.clip_count else {})
            dataset.layout = said | ({BEFORE: before} if before else {})
        dataset.stage, dataset.error, dataset.updated_at = REVIEW, problem[:1000], utcnow()
        dataset.progress_done = dataset.progress_total = 0
        session.add(dataset)
    return REVIEW


def accept_reading(session: Session, actor: Actor, dataset_id: int) -> DatasetRow:
    """It was understood rightly: a worker shall read the files so.

    Raises:
        Conflict: nothing waits for it. NotFound.
    """
    dataset = owned_dataset(session, actor, dataset_id)
    waiting = update(Dataset).where(
        col(Dataset.id) == dataset_id, col(Dataset.status) == DatasetStatus.PROCESSING, col(Dataset.stage) == REVIEW
    )
    if not session.exec(waiting.values(stage="", error="", updated_at=utcnow())).rowcount:
        raise Conflict("There is nothing to accept here. It may have been accepted or stopped already.")
    session.refresh(dataset)
    after_commit(session, lambda: enqueue(TASK_INGEST, ingest_key(dataset_id), PREP, dataset_id=dataset_id))
    return dataset_row(dataset)


def settled(layout: dict[str, Any]) -> dict[str, Any]:
    """The layout of the clips that are there, when what waited is called off."""
    return dict(layout.get(BEFORE) or {}) if "preview" in layout else layout
