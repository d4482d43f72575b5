"""The demo datasets: their clips are generated once, and each account gets records of its own for the same files."""

import hashlib
import json
from pathlib import Path
from typing import Any, assert_never

from sqlmodel import Session, col, select

from orchestrator.domain.base import utcnow
from orchestrator.domain.datasets import Clip, Dataset, DatasetStatus, Split
from orchestrator.domain.tasks import DEFAULT_TASK, TASKS, Annotation, Task
from orchestrator.settings import get_settings

VALIDATION_ONE_IN = 5
"""One in this many sentences goes to validation."""


def demo_folder() -> Path:
    """The folder of the demo's clips, which stays when a user deletes their demo dataset."""
    return get_settings().storage_dir / "demo"


def manifest_path() -> Path:
    """The list of the demo's clips with their facts; it is written when all clips exist."""
    return demo_folder() / "manifest.json"


def is_demo_generated() -> bool:
    """Whether the clips exist with captions; an older version generated them without."""
    if not manifest_path().exists():
        return False
    clips = _manifest()
    return all("caption" in clip for clip in clips)


def create_demos(session: Session, user_id: int) -> None:
    """Creates a demo dataset for each task that has one; the default task's last, so that lists show it first."""
    with_demo = [task.key for task in TASKS.values() if task.demo]
    for key in sorted(with_demo, key=lambda key: key is DEFAULT_TASK):
        create_demo(session, user_id, key)


def create_demo(session: Session, user_id: int, task: Task = DEFAULT_TASK) -> int:
    """Creates a demo dataset; it becomes ready when the clips are generated.

    Returns:
        Its id.
    """
    text = TASKS[task].demo
    if text is None:
        raise ValueError(f"{task.value} has no demo dataset.")
    dataset = Dataset(
        owner_id=user_id,
        name=text.name,
        description=text.description,
        task=task,
        source={"type": "demo"},
        status=DatasetStatus.PROCESSING,
        is_demo=True,
    )
    session.add(dataset)
    session.flush()
    assert dataset.id is not None
    if clips := _manifest():
        _fill(session, dataset, clips)
    return dataset.id


def fill_pending_demos(session: Session) -> int:
    """Fills the demo datasets that were created before the clips were generated.

    Returns:
        How many.
    """
    clips = _manifest()
    statement = select(Dataset).where(col(Dataset.is_demo).is_(True), Dataset.status == DatasetStatus.PROCESSING)
    waiting = session.exec(statement).all() if clips else []
    for dataset in waiting:
        _fill(session, dataset, clips)
    return len(waiting)


def report_demo_progress(session: Session, done: int, total: int) -> None:
    """Records the progress of generating the clips in the demo datasets that wait for them."""
    statement = select(Dataset).where(col(Dataset.is_demo).is_(True), Dataset.status == DatasetStatus.PROCESSING)
    for dataset in session.exec(statement):
        dataset.progress_done, dataset.progress_total = done, total
        session.add(dataset)


def _manifest() -> list[dict[str, Any]]:
    try:
        return json.loads(manifest_path().read_text())
    except (OSError, ValueError):
        return []


def _fill(session: Session, dataset: Dataset, clips: list[dict[str, Any]]) -> None:
    """`clips`: the fields of each Clip but its dataset, paths relative to the storage root."""
    assert dataset.id is not None
    fields = [_annotated(clip, TASKS[dataset.task].annotation) for clip in clips]
    session.add_all([Clip(dataset_id=dataset.id, **clip) for clip in fields])
    dataset.status = DatasetStatus.READY
    dataset.clip_count = dataset.progress_done = dataset.progress_total = len(clips)
    dataset.size_bytes = sum(clip["size_bytes"] for clip in clips)
    dataset.class_names = sorted({clip["label"] for clip in fields if clip["label"]})
    dataset.updated_at = utcnow()
    session.add(dataset)
    session.flush()


def _annotated(clip: dict[str, Any], annotation: Annotation) -> dict[str, Any]:
    """A generated clip with the kind of annotation that the dataset's task needs."""
    match annotation:
        case Annotation.LABEL:
            return clip | {"caption": ""}
        case Annotation.CAPTION:
            return _captioned(clip)
        case _:
            assert_never(annotation)


def _captioned(clip: dict[str, Any]) -> dict[str, Any]:
    """A clip with a caption and no label. All clips of about a fifth of the sentences go to validation, which measures
    whether a model can describe combinations that it has not seen."""
    caption = str(clip.get("caption", ""))
    is_validation = hashlib.sha256(caption.encode()).digest()[0] % VALIDATION_ONE_IN == 0
    return clip | {"label": "", "caption": caption, "split": Split.VALIDATION if is_validation else Split.TRAIN}
