"""Records of uploads: created before the first byte, completed after the last, discarded; for datasets and models."""

import secrets
import shutil
from dataclasses import dataclass
from pathlib import PurePosixPath

from sqlmodel import Session, col, select

from orchestrator.domain.datasets import Upload, UploadStatus
from orchestrator.domain.errors import Conflict, DiskFull, Invalid, TooLarge
from orchestrator.domain.users import Actor
from orchestrator.services.access import owned_upload
from orchestrator.services.after_commit import after_commit
from orchestrator.services.uploads.part_file import upload_path
from orchestrator.settings import get_settings

_RESERVED_BYTES = 512 * 2**20
"""Disk space that uploads leave free, for the database and for running jobs."""


@dataclass(frozen=True, slots=True)
class UploadRow:
    """One upload, of whose `length` bytes `offset` have arrived."""

    id: str
    dataset_id: int | None
    filename: str
    length: int
    offset: int
    complete: bool


def create_upload(session: Session, upload: Upload, filename: str) -> UploadRow:
    """Records an upload and creates its empty file; the caller has checked permission.

    Args:
        upload: the record with its owner, target and `length`; its id and cleaned name are set here.
        filename: as the browser gave it; it may hold folders.

    Raises:
        Invalid: the file is empty or has no name. TooLarge. DiskFull.
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
    if shutil.disk_usage(path.parent).free < length + _announced_bytes(session) + _RESERVED_BYTES:
        raise DiskFull(f"There is not enough space on the disk for {upload.filename}. Free some space and try again.")
    path.touch(mode=0o600)
    session.add(upload)
    session.flush()
    return _row(upload)


def _announced_bytes(session: Session) -> int:
    """What all open uploads may still send: space announced by any user counts as taken."""
    receiving = select(Upload.id, Upload.length).where(col(Upload.status) == UploadStatus.RECEIVING)
    missing = 0
    for upload_id, length in session.exec(receiving):
        path = upload_path(upload_id)
        missing += max(0, length - (path.stat().st_size if path.is_file() else 0))
    return missing


def find_upload(session: Session, actor: Actor, upload_id: str) -> UploadRow:
    """One upload of the actor's, with how much of it has arrived."""
    return _row(owned_upload(session, actor, upload_id))


def list_uploads(
    session: Session, actor: Actor, dataset_id: int | None = None, model_id: int | None = None
) -> list[UploadRow]:
    """Uploads of a dataset or model that were not imported yet, complete or in part; a sender resumes from these."""
    target = Upload.dataset_id == dataset_id if dataset_id else Upload.model_id == model_id
    statement = select(Upload).where(Upload.owner_id == actor.user_id, target).order_by(col(Upload.created_at))
    return [_row(upload) for upload in session.exec(statement)]


def complete_upload(session: Session, actor: Actor, upload_id: str) -> UploadRow:
    """Marks an upload as complete.

    Raises:
        Conflict: bytes are missing.
    """
    upload = owned_upload(session, actor, upload_id)
    if _received_bytes(upload_id) != upload.length:
        raise Conflict(f"{upload.filename} has not arrived completely.")
    upload.status = UploadStatus.COMPLETE
    session.add(upload)
    session.flush()
    return _row(upload)


def discard_upload(session: Session, actor: Actor, upload_id: str) -> None:
    """Deletes an upload and its bytes."""
    upload = owned_upload(session, actor, upload_id)
    session.delete(upload)
    session.flush()
    after_commit(session, lambda: upload_path(upload_id).unlink(missing_ok=True))


def clean_name(filename: str) -> str:
    """The relative path that a browser gave, without parts that would lead out of its folder.

    Raises:
        Invalid: no name is left.
    """
    parts = PurePosixPath(filename.replace("\\", "/")).parts
    safe = [part for part in parts if part not in ("/", "..", ".") and not part.endswith(":") and part.isprintable()]
    if not safe:
        raise Invalid("The file needs a name.", "filename")
    return "/".join(safe)[-400:]


def _received_bytes(upload_id: str) -> int:
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
        _received_bytes(upload.id),
        upload.status is UploadStatus.COMPLETE,
    )
