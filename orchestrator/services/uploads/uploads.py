"""TODO."""

import secrets
import shutil
from dataclasses import dataclass
from pathlib import PurePosixPath

from sqlmodel import Session, col, select

from orchestrator.domain.datasets import Upload, UploadStatus
from orchestrator.domain.errors import Conflict, DiskFull, Invalid, NotFound, TooLarge
from orchestrator.domain.users import Actor
from orchestrator.services.after_commit import after_commit
from orchestrator.services.uploads.part_file import upload_path
from orchestrator.settings import get_settings

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


def clean_name(filename: str) -> str:
    """The relative path a browser gave, without anything that leads out of its folder."""
    parts = PurePosixPath(filename.replace("\\", "/")).parts
    kept = [part for part in parts if part not in ("/", "..", ".") and not part.endswith(":") and part.isprintable()]
    if not kept:
        raise Invalid("The file needs a name.", "filename")
    return "/".join(kept)[-400:]


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
