"""The files on their way into a dataset: where each upload stands, and the wish to read them when all are in."""

from typing import Any

from sqlalchemy import update
from sqlmodel import Session, col, select

from orchestrator.domain.base import utcnow
from orchestrator.domain.datasets import DETECTING_LAYOUT, REVIEW, Dataset, DatasetStatus, Upload, UploadStatus
from orchestrator.domain.errors import Conflict
from orchestrator.domain.machines import PREP
from orchestrator.domain.redis_keys import TASK_INGEST
from orchestrator.domain.users import Actor
from orchestrator.services.access import owned_dataset
from orchestrator.services.after_commit import after_commit
from orchestrator.services.datasets.rows import DatasetRow, dataset_row
from orchestrator.services.queue import enqueue, ingest_key
from orchestrator.services.uploads.uploads import UploadRow, create_upload, discard_upload


def begin_upload(session: Session, actor: Actor, dataset_id: int, filename: str, length: int) -> UploadRow:
    """Makes room for a file of `length` bytes; `filename` may hold folders.

    Raises:
        Invalid, TooLarge, DiskFull, Conflict (being read now), NotFound.
    """
    dataset = owned_dataset(session, actor, dataset_id)
    refuse_while_read(dataset)
    if dataset.status is DatasetStatus.ERROR:
        _begin_anew(session, actor, dataset)
    return create_upload(
        session, Upload(id="", owner_id=actor.user_id, dataset_id=dataset_id, filename="", length=length), filename
    )


def _begin_anew(session: Session, actor: Actor, dataset: Dataset) -> None:
    """What waited for a correction gives way to the files that are put right; of several senders the first does it."""
    move = update(Dataset).where(col(Dataset.id) == dataset.id, col(Dataset.status) == DatasetStatus.ERROR)
    if session.exec(move.values(status=DatasetStatus.DRAFT, error="", layout={}, updated_at=utcnow())).rowcount:
        discard_arriving(session, actor, dataset.id or 0)
    session.refresh(dataset)


def request_ingest(session: Session, actor: Actor, dataset_id: int, review: bool = False) -> DatasetRow:
    """All uploads are in: a worker shall unpack them and look at each clip. Asking twice is harmless.

    Args:
        review: only how they are laid out is found out now; somebody accepts it first (review.py).

    Raises:
        Conflict: nothing has arrived, or something is still arriving.
    """
    dataset = owned_dataset(session, actor, dataset_id)
    if dataset.status is DatasetStatus.PROCESSING:
        return dataset_row(dataset)
    refuse_while_read(dataset)
    found = session.exec(select(Upload.status).where(col(Upload.dataset_id) == dataset_id)).all()
    if UploadStatus.RECEIVING in found:
        raise Conflict("Some files are still on their way. Wait for them, or cancel them.")
    if not found:
        raise Conflict("No files have arrived for this dataset. Add some first.")
    move = update(Dataset).where(col(Dataset.id) == dataset_id, col(Dataset.status) == dataset.status)
    stage = DETECTING_LAYOUT if review or dataset.source.get("review") else ""
    fresh: dict[str, Any] = {"status": DatasetStatus.PROCESSING, "stage": stage, "error": ""}
    fresh |= {"progress_done": 0, "progress_total": 0}
    moved = session.exec(move.values(**fresh, updated_at=utcnow())).rowcount
    session.refresh(dataset)
    if not moved:  # somebody asked at the same moment
        return dataset_row(dataset)
    after_commit(session, lambda: enqueue(TASK_INGEST, ingest_key(dataset_id), PREP, dataset_id=dataset_id))
    return dataset_row(dataset)


def discard_arriving(session: Session, actor: Actor, dataset_id: int) -> int:
    """Forgets everything that arrived for a dataset and was not read yet; how many files."""
    owned_dataset(session, actor, dataset_id)
    ids = session.exec(select(Upload.id).where(col(Upload.dataset_id) == dataset_id)).all()
    for upload_id in ids:
        discard_upload(session, actor, upload_id)
    return len(ids)


def refuse_while_read(dataset: Dataset) -> None:
    """Nothing can be added to the demo, nor to what is being read.

    Raises:
        Conflict.
    """
    if dataset.is_demo:
        raise Conflict("The demo dataset takes no files. Add a dataset of your own for them.")
    if dataset.status is DatasetStatus.PROCESSING and dataset.stage == REVIEW:
        raise Conflict("Other files wait to be accepted here. Accept or stop those first.")
    if dataset.status is DatasetStatus.PROCESSING:
        raise Conflict("This dataset is being read right now. Add files as soon as it is done.")
