"""The demo datasets: drawn once, then given to each account as rows of its own over the same files."""

import hashlib
import json
from pathlib import Path
from typing import Any, assert_never

from sqlmodel import Session, col, select

from orchestrator.domain.base import utcnow
from orchestrator.domain.datasets import Clip, Dataset, DatasetStatus, Split
from orchestrator.domain.tasks import DEFAULT_TASK, TASKS, Annotation, Task
from orchestrator.settings import get_settings

HELD_OUT_OF = 5
"""One in this many sentences is held out."""


def demo_folder() -> Path:
    """Where the demo's clips lie; deleting somebody's demo dataset never touches it."""
    return get_settings().storage_dir / "demo"


def manifest_path() -> Path:
    """The list of the demo's clips with their facts; it exists once every clip does."""
    return demo_folder() / "manifest.json"


def is_drawn() -> bool:
    """True when the clips are there, with their captions: an older version drew them without."""
    if not manifest_path().exists():
        return False
    clips = _manifest()
    return all("caption" in clip for clip in clips)


def create_demos(session: Session, user_id: int) -> None:
    """For a new account: the same clips for each task that has a demo, last for the default, which lists show first."""
    with_demo = [task.key for task in TASKS.values() if task.demo]
    for key in sorted(with_demo, key=lambda key: key is DEFAULT_TASK):
        create_demo(session, user_id, key)


def create_demo(session: Session, user_id: int, task: Task = DEFAULT_TASK) -> int:
    """Gives an account a demo dataset, at once or as soon as it is drawn; its id."""
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


def fill_waiting(session: Session) -> int:
    """Fills the demo datasets that were given before the clips were drawn; how many."""
    clips = _manifest()
    statement = select(Dataset).where(col(Dataset.is_demo).is_(True), Dataset.status == DatasetStatus.PROCESSING)
    waiting = session.exec(statement).all() if clips else []
    for dataset in waiting:
        _fill(session, dataset, clips)
    return len(waiting)


def report_drawing(session: Session, done: int, total: int) -> None:
    """Shows in the waiting demo datasets how far the drawing is."""
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
    """A drawn clip with the one kind of annotation that the dataset's task learns from."""
    match annotation:
        case Annotation.LABEL:
            return clip | {"caption": ""}
        case Annotation.CAPTION:
            return _described(clip)
        case _:
            assert_never(annotation)


def _described(clip: dict[str, Any]) -> dict[str, Any]:
    """A clip with its caption and no class. About a fifth of the sentences are held out whole: what is
    measured is whether a model can say of a clip what it was never told in one piece."""
    caption = str(clip.get("caption", ""))
    held = hashlib.sha256(caption.encode()).digest()[0] % HELD_OUT_OF == 0
    return clip | {"label": "", "caption": caption, "split": Split.VALIDATION if held else Split.TRAIN}
