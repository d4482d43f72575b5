"""The files on their way into a dataset: where each upload stands, and the wish to read them when all are in."""

import secrets
import shutil
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from sqlalchemy import update
from sqlmodel import Session, col, select

from orchestrator.domain.base import utcnow
from orchestrator.domain.datasets import REVIEW, UNDERSTANDING, Dataset, DatasetStatus, Upload, UploadStatus
from orchestrator.domain.errors import Conflict, DiskFull, Invalid, NotFound, TooLarge
from orchestrator.domain.redis_keys import TASK_INGEST
from orchestrator.domain.users import Actor
from orchestrator.services.after_commit import after_commit
from orchestrator.services.datasets.catalog import owned_dataset
from orchestrator.services.datasets.files import upload_path
from orchestrator.services.datasets.rows import DatasetRow, dataset_row
from orchestrator.services.queue import enqueue, ingest_key
from orchestrator.settings import get_settings

PREP = "prep"
_SPARE_BYTES = 512 * 2**20
"""Left free on the disk for the database and the runs."""


@dataclass(frozen=True, slots=True)
class UploadRow:
    """One upload; `offset` bytes of `length` have arrived."""

    id: str
    dataset_id: int | None
    filename: str
    length: int
    offset: int
    complete: bool


def begin_upload(session: Session, actor: Actor, dataset_id: int, filename: str, length: int) -> UploadRow:
    """Makes room for a file of `length` bytes; `filename` may hold folders.

    Raises:
        Invalid, TooLarge, DiskFull, Conflict (being read now), NotFound.
    """
    dataset = owned_dataset(session, actor, dataset_id)
    refuse_while_read(dataset)
    if dataset.status is DatasetStatus.ERROR:
        _begin_anew(session, actor, dataset)
    return make_room(
        session, Upload(id="", owner_id=actor.user_id, dataset_id=dataset_id, filename="", length=length), filename
    )


def _begin_anew(session: Session, actor: Actor, dataset: Dataset) -> None:
    """What waited for a correction gives way to the files that are put right; of several senders the first does it."""
    move = update(Dataset).where(col(Dataset.id) == dataset.id, col(Dataset.status) == DatasetStatus.ERROR)
    if session.exec(move.values(status=DatasetStatus.DRAFT, error="", layout={}, updated_at=utcnow())).rowcount:
        discard_arriving(session, actor, dataset.id or 0)
    session.refresh(dataset)


def make_room(session: Session, upload: Upload, filename: str) -> UploadRow:
    """Records an upload that the caller has allowed, and makes its file.

    Raises:
        Invalid, TooLarge, DiskFull.
    """
    settings, length = get_settings(), upload.length
    if length <= 0:
        raise Invalid(f"{filename or 'The file'} is empty.", "filename")
    if length > settings.max_upload_bytes:
        raise TooLarge(
            f"{filename} is larger than {settings.max_upload_bytes:,} bytes, the most that is accepted here."
        )
    upload.id, upload.filename = secrets.token_urlsafe(18), clean_name(filename)
    path = upload_path(upload.id)
    path.parent.mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(path.parent).free < length + _SPARE_BYTES:
        raise DiskFull(f"There is no room on the disk for {upload.filename}. Free some space and try again.")
    path.touch(mode=0o600)
    session.add(upload)
    session.flush()
    return _row(upload)


def find_upload(session: Session, actor: Actor, upload_id: str) -> UploadRow:
    """Where an upload of the actor's stands."""
    return _row(_own(session, actor, upload_id))


def list_uploads(
    session: Session, actor: Actor, dataset_id: int | None = None, model_id: int | None = None
) -> list[UploadRow]:
    """What has arrived for a dataset or model and was not read yet, whole or in part: a sender goes on from there."""
    target = Upload.dataset_id == dataset_id if dataset_id else Upload.model_id == model_id
    found = select(Upload).where(Upload.owner_id == actor.user_id, target).order_by(col(Upload.created_at))
    return [_row(upload) for upload in session.exec(found)]


def complete_upload(session: Session, actor: Actor, upload_id: str) -> UploadRow:
    """Notes that the last byte has arrived.

    Raises:
        Conflict: it has not.
    """
    upload = _own(session, actor, upload_id)
    if _arrived(upload_id) != upload.length:
        raise Conflict(f"{upload.filename} is not whole yet.")
    upload.status = UploadStatus.COMPLETE
    session.add(upload)
    session.flush()
    return _row(upload)


def discard_upload(session: Session, actor: Actor, upload_id: str) -> None:
    """Forgets an upload and its bytes."""
    upload = _own(session, actor, upload_id)
    session.delete(upload)
    session.flush()
    after_commit(session, lambda: upload_path(upload_id).unlink(missing_ok=True))


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
    stage = UNDERSTANDING if review or dataset.source.get("review") else ""
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


def clean_name(filename: str) -> str:
    """The relative path a browser gave, without anything that leads out of its folder."""
    parts = PurePosixPath(filename.replace("\\", "/")).parts
    kept = [part for part in parts if part not in ("/", "..", ".") and not part.endswith(":") and part.isprintable()]
    if not kept:
        raise Invalid("The file needs a name.", "filename")
    return "/".join(kept)[-400:]


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


def _own(session: Session, actor: Actor, upload_id: str) -> Upload:
    upload = session.get(Upload, upload_id)
    if upload is None or upload.owner_id != actor.user_id:
        raise NotFound("There is no such upload. It may have been cancelled.")
    return upload


def _arrived(upload_id: str) -> int:
    try:
        return upload_path(upload_id).stat().st_size
    except FileNotFoundError:
        return 0


def _row(upload: Upload) -> UploadRow:
    return UploadRow(
        upload.id,
        upload.dataset_id,
        upload.filename,
        upload.length,
        _arrived(upload.id),
        upload.status is UploadStatus.COMPLETE,
    )
