"""Uploads of files for a dataset, and the request to import them."""

from typing import Any

from sqlalchemy import func, update
from sqlmodel import Session, col, select

from orchestrator.domain.audit import Act
from orchestrator.domain.base import utcnow
from orchestrator.domain.datasets import (
    DETECTING_LAYOUT,
    FETCHING,
    REVIEW,
    Dataset,
    DatasetStatus,
    Upload,
    UploadStatus,
)
from orchestrator.domain.errors import Conflict
from orchestrator.domain.machines import PREP
from orchestrator.domain.redis_keys import TASK_INGEST
from orchestrator.domain.users import Actor
from orchestrator.services.access import owned_dataset
from orchestrator.services.after_commit import after_commit
from orchestrator.services.audit.recording import record
from orchestrator.services.datasets.rows import DatasetRow, dataset_row
from orchestrator.services.fair_turns import UNKNOWN_BYTES, Share
from orchestrator.services.queue import enqueue, ingest_key
from orchestrator.services.uploads.uploads import UploadRow, create_upload, discard_upload


def begin_upload(session: Session, actor: Actor, dataset_id: int, filename: str, length: int) -> UploadRow:
    """Creates the upload of a file.

    Args:
        filename: as the browser gave it; it may hold folders.
        length: bytes of the file.

    Raises:
        Invalid. TooLarge. DiskFull. Conflict: the dataset is processed now. NotFound.
    """
    dataset = owned_dataset(session, actor, dataset_id)
    refuse_if_busy(dataset)
    if dataset.status is DatasetStatus.ERROR:
        _discard_failed(session, actor, dataset)
    return create_upload(
        session, Upload(id="", owner_id=actor.user_id, dataset_id=dataset_id, filename="", length=length), filename
    )


def _discard_failed(session: Session, actor: Actor, dataset: Dataset) -> None:
    """Deletes the uploads of a failed import when new ones begin; of several senders the first one does it."""
    restart = update(Dataset).where(col(Dataset.id) == dataset.id, col(Dataset.status) == DatasetStatus.ERROR)
    if session.exec(restart.values(status=DatasetStatus.DRAFT, error="", layout={}, updated_at=utcnow())).rowcount:
        discard_uploads(session, actor, dataset.id or 0)
    session.refresh(dataset)


def request_ingest(session: Session, actor: Actor, dataset_id: int, review: bool = False) -> DatasetRow:
    """Has a worker import the uploaded files. Repeated requests change nothing.

    Args:
        review: only detects their layout, which the user accepts first (review.py).

    Raises:
        Conflict: there are no files, or some are still uploaded.
    """
    dataset = owned_dataset(session, actor, dataset_id)
    if dataset.status is DatasetStatus.PROCESSING:
        return dataset_row(dataset)
    refuse_if_busy(dataset)
    statuses = session.exec(select(Upload.status).where(col(Upload.dataset_id) == dataset_id)).all()
    if UploadStatus.RECEIVING in statuses:
        raise Conflict("Some files are still on their way. Wait for them, or cancel them.")
    if not statuses:
        raise Conflict("No files have arrived for this dataset. Add some first.")
    start = update(Dataset).where(col(Dataset.id) == dataset_id, col(Dataset.status) == dataset.status)
    stage = DETECTING_LAYOUT if review or dataset.source.get("review") else ""
    values: dict[str, Any] = {"status": DatasetStatus.PROCESSING, "stage": stage, "error": ""}
    values |= {"progress_done": 0, "progress_total": 0}
    started = session.exec(start.values(**values, updated_at=utcnow())).rowcount
    session.refresh(dataset)
    if not started:  # another request was faster
        return dataset_row(dataset)
    share = import_share(session, dataset)
    after = {"files": len(statuses), "review": review}
    record(session, actor, Act.DATASET_IMPORT_REQUESTED, dataset_id, dataset.name, after=after)
    after_commit(session, lambda: enqueue(TASK_INGEST, ingest_key(dataset_id), PREP, share, dataset_id=dataset_id))
    return dataset_row(dataset)


def discard_uploads(session: Session, actor: Actor, dataset_id: int) -> int:
    """Deletes all uploads of a dataset that were not imported yet.

    Returns:
        How many.
    """
    owned_dataset(session, actor, dataset_id)
    ids = session.exec(select(Upload.id).where(col(Upload.dataset_id) == dataset_id)).all()
    for upload_id in ids:
        discard_upload(session, actor, upload_id)
    return len(ids)


def refuse_if_busy(dataset: Dataset) -> None:
    """Refuses new files for the demo and for datasets that are processed.

    Raises:
        Conflict.
    """
    if dataset.is_demo:
        raise Conflict("The demo dataset takes no files. Add a dataset of your own for them.")
    if dataset.status is DatasetStatus.PROCESSING and dataset.stage == REVIEW:
        raise Conflict("Other files wait to be accepted here. Accept or stop those first.")
    if dataset.status is DatasetStatus.PROCESSING:
        raise Conflict("This dataset is being imported right now. Add files as soon as it is done.")


def import_share(session: Session, dataset: Dataset) -> Share:
    """Whose import it is, and how many bytes are read: what was uploaded and what is stored already."""
    if dataset.stage == FETCHING:
        return Share(dataset.owner_id, UNKNOWN_BYTES)
    uploaded = session.exec(select(func.sum(Upload.length)).where(Upload.dataset_id == dataset.id)).one()
    return Share(dataset.owner_id, dataset.size_bytes + int(uploaded or 0))
