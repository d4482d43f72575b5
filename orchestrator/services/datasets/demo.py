"""The demo dataset: drawn once, then given to each account as a row of its own over the same files."""

import json
from pathlib import Path
from typing import Any

from sqlmodel import Session, col, select

from orchestrator.domain.base import utcnow
from orchestrator.domain.datasets import Clip, Dataset, DatasetStatus, Task
from orchestrator.settings import get_settings

NAME = "Shapes in motion"
DESCRIPTION = "Short synthetic films of one shape that blinks, bounces, circles or zooms, drawn on this machine."


def demo_folder() -> Path:
    """Where the demo's clips lie; deleting somebody's demo dataset never touches it."""
    return get_settings().storage_dir / "demo"


def manifest_path() -> Path:
    """The list of the demo's clips with their facts; it exists once every clip does."""
    return demo_folder() / "manifest.json"


def give_demo(session: Session, user_id: int) -> int:
    """Gives an account its demo dataset, at once or as soon as it is drawn; its id. For a new account."""
    dataset = Dataset(
        owner_id=user_id,
        name=NAME,
        description=DESCRIPTION,
        task=Task.CLASSIFICATION,
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
    session.add_all([Clip(dataset_id=dataset.id, **clip) for clip in clips])
    dataset.status = DatasetStatus.READY
    dataset.clip_count = dataset.progress_done = dataset.progress_total = len(clips)
    dataset.size_bytes = sum(clip["size_bytes"] for clip in clips)
    dataset.class_names = sorted({clip["label"] for clip in clips})
    dataset.updated_at = utcnow()
    session.add(dataset)
    session.flush()
