"""Datasets whose files have been uploaded and are about to be imported."""

import io
import zipfile

from sqlmodel import Session

from orchestrator.domain.datasets import Dataset, DatasetStatus, Upload, UploadStatus
from orchestrator.domain.tasks import Task
from orchestrator.domain.users import Actor
from orchestrator.services.db import session_scope
from orchestrator.services.uploads.part_file import upload_path


def zipped(files: dict[str, bytes]) -> bytes:
    """A ZIP archive of these files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def uploaded_dataset(
    actor: Actor, files: dict[str, bytes], task: Task = Task.CLASSIFICATION, name: str = "mine"
) -> int:
    """The id of a dataset to which each of `files` is a complete upload."""
    with session_scope() as session:
        dataset = Dataset(owner_id=actor.user_id, name=name, task=task, status=DatasetStatus.PROCESSING)
        session.add(dataset)
        session.flush()
        assert dataset.id
        _add_uploads(session, actor, dataset.id, files)
        return dataset.id


def add_uploads(actor: Actor, dataset_id: int, files: dict[str, bytes]) -> None:
    """Adds complete uploads to a dataset that has been imported, which is imported again."""
    with session_scope() as session:
        session.get_one(Dataset, dataset_id).status = DatasetStatus.PROCESSING
        _add_uploads(session, actor, dataset_id, files)


def _add_uploads(session: Session, actor: Actor, dataset_id: int, files: dict[str, bytes]) -> None:
    for number, (name, data) in enumerate(files.items()):
        upload = Upload(
            id=f"{dataset_id}-{number}",
            owner_id=actor.user_id,
            dataset_id=dataset_id,
            filename=name,
            length=len(data),
            status=UploadStatus.COMPLETE,
        )
        session.add(upload)
        path = upload_path(upload.id)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
