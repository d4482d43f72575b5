"""Adds base models: uploaded by the browser, or downloaded from the Hugging Face Hub; a worker checks the files."""

import time
from datetime import datetime
from pathlib import PurePosixPath

from sqlmodel import Session, col, select

from orchestrator.domain.audit import Act
from orchestrator.domain.datasets import Upload, UploadStatus
from orchestrator.domain.errors import AppError, Conflict, Invalid
from orchestrator.domain.formatting import partial_fetch_note
from orchestrator.domain.machines import PREP
from orchestrator.domain.models import ModelSource, ModelStatus, VideoModel
from orchestrator.domain.redis_keys import TASK_MODEL
from orchestrator.domain.users import Actor
from orchestrator.services.access import owned_model
from orchestrator.services.after_commit import after_commit
from orchestrator.services.audit.recording import record
from orchestrator.services.db import session_scope
from orchestrator.services.fair_turns import UNKNOWN_BYTES, Share
from orchestrator.services.hub import hub_credential, hub_problems
from orchestrator.services.models.catalog import new_model, row_for
from orchestrator.services.models.files import (
    INDEX,
    PARTIAL_FOLDER,
    file_problem,
    missing_file,
    model_folder,
    partial_bytes,
    remove_model_folder,
)
from orchestrator.services.models.inspect import shards_of
from orchestrator.services.models.rows import ModelRow
from orchestrator.services.queue import enqueue, model_key
from orchestrator.services.uploads.part_file import upload_path
from orchestrator.services.uploads.uploads import UploadRow, clean_name, create_upload, discard_upload, list_uploads
from orchestrator.services.vault import seal

RECEIVING, FETCHING, CHECKING = "receiving", "fetching", "checking"
"""`details["stage"]` of a model that is processed."""
_REQUEST_KEYS = ("wanted_revision", "credential_id")
"""Keys of `details` that stay after a failure, so that the download can be tried again."""


def create_model_for_upload(
    session: Session, actor: Actor, name: str, description: str, model_type: str, architecture: str = ""
) -> ModelRow:
    """Creates a model that waits for the upload of its files.

    Raises:
        Invalid: `problems` by field. Conflict: the name is taken.
    """
    model = new_model(session, actor, name, description, model_type, architecture)
    model.source, model.details = ModelSource.UPLOAD, {"stage": RECEIVING}
    return _add(session, actor, model)


def create_model_from_hub(
    session: Session,
    actor: Actor,
    name: str,
    description: str,
    model_type: str,
    repo: str,
    revision: str = "",
    token: str = "",
    architecture: str = "",
    credential_id: int = 0,
) -> ModelRow:
    """Creates a model that a worker downloads from the Hub.

    Args:
        revision: a branch, tag or commit; it is resolved to a commit when the download begins.
        token: a Hub token for gated or private models; stored encrypted for this download only, then deleted.
        credential_id: a stored Hub token instead of `token`.

    Raises:
        Invalid: `problems` by field. Conflict: the name is taken.
    """
    problems = hub_problems(repo, revision, token)
    model = new_model(session, actor, name, description, model_type, architecture, problems)
    model.source, model.source_ref = ModelSource.HUB, repo.strip()
    model.details = {"stage": FETCHING, "wanted_revision": revision.strip()}
    if credential_id:
        model.details = {**model.details, "credential_id": hub_credential(session, actor, credential_id)}
    elif token.strip():
        model.details = {**model.details, "sealed_token": seal({"token": token.strip()})}
    row = _add(session, actor, model)
    _enqueue(session, model)
    return row


def restart_upload(session: Session, actor: Actor, model_id: int) -> ModelRow:
    """Starts the upload of a model over, after it was interrupted or refused; files that had arrived are deleted.

    Raises:
        Conflict: the model takes no files. NotFound.
    """
    model = owned_model(session, actor, model_id)
    if model.source is not ModelSource.UPLOAD or model.status is ModelStatus.READY or _stage(model) == CHECKING:
        raise Conflict("This model takes no files now. Add another model for them.")
    ids = session.exec(select(Upload.id).where(col(Upload.model_id) == model_id)).all()
    for upload_id in ids:
        discard_upload(session, actor, upload_id)
    model.status, model.error, model.details = ModelStatus.PROCESSING, "", {"stage": RECEIVING}
    session.add(model)
    session.flush()
    return row_for(session, actor, model)


def accepts_files(session: Session, actor: Actor, model_id: int, begun: bool = False) -> bool:
    """Whether the actor's model waits for files.

    Args:
        begun: only if some of them have arrived, complete or in part.
    """
    try:
        model = owned_model(session, actor, model_id)
    except AppError:
        return False
    return _stage(model) == RECEIVING and (not begun or bool(list_uploads(session, actor, model_id=model_id)))


def abandoned_models(before: datetime) -> list[int]:
    """The ids of models that wait for files and of which none has arrived since `before`."""
    with session_scope() as session:
        models = session.exec(select(VideoModel).where(VideoModel.status == ModelStatus.PROCESSING)).all()
        active = set(session.exec(select(Upload.model_id).where(col(Upload.created_at) >= before)).all())
        return [
            model.id
            for model in models
            if model.id and _stage(model) == RECEIVING and model.created_at < before and model.id not in active
        ]


def create_file_upload(session: Session, actor: Actor, model_id: int, filename: str, length: int) -> UploadRow:
    """Creates the upload of one file of a model.

    Raises:
        Invalid: the file is none of a model. TooLarge. DiskFull. Conflict: the model takes no files. NotFound.
    """
    model = owned_model(session, actor, model_id)
    if model.source is not ModelSource.UPLOAD or model.status is ModelStatus.READY or _stage(model) == CHECKING:
        raise Conflict("This model takes no files now. Add another model for them.")
    path = PurePosixPath(clean_name(filename))
    if problem := file_problem(path.name, length):
        raise Invalid(problem, "filename")
    _resolve_same_name(session, actor, model_id, path)
    upload = Upload(id="", owner_id=actor.user_id, model_id=model_id, filename="", length=length)
    return create_upload(session, upload, filename)


def _resolve_same_name(session: Session, actor: Actor, model_id: int, path: PurePosixPath) -> None:
    """Of two files with the same name in different folders, keeps the one nearer to the top.

    Raises:
        Invalid: that is the one that was uploaded before.
    """
    for known in list_uploads(session, actor, model_id=model_id):
        other = PurePosixPath(known.filename)
        if other.name == path.name and other != path:
            if len(other.parts) <= len(path.parts):
                raise Invalid(
                    f"{other} is uploaded already, and a model has one {path.name}. Leave one out.", "filename"
                )
            discard_upload(session, actor, known.id)


def request_check(session: Session, actor: Actor, model_id: int) -> ModelRow:
    """Has a worker check the uploaded files. Repeated requests change nothing.

    Raises:
        Conflict: there are no files, some are still uploaded, or one is missing. NotFound.
    """
    model = owned_model(session, actor, model_id)
    if model.status is ModelStatus.READY or _stage(model) in (CHECKING, FETCHING):
        return row_for(session, actor, model)
    statuses = session.exec(select(Upload.status).where(col(Upload.model_id) == model_id)).all()
    if UploadStatus.RECEIVING in statuses:
        raise Conflict("Some files are still on their way. Wait for them, or cancel them.")
    if not statuses:
        raise Conflict("No files have arrived for this model. Add some first.")
    if sentence := _missing_upload(session, actor, model_id):
        raise Conflict(f"{sentence} The uploaded files stay.", "files")
    queue_check(session, model)
    record(session, actor, Act.MODEL_IMPORT_REQUESTED, model_id, model.name)
    return row_for(session, actor, model)


def _missing_upload(session: Session, actor: Actor, model_id: int) -> str:
    """Which file is missing, as a sentence; checked here first, because a failed check deletes the files."""
    uploads = {PurePosixPath(row.filename).name: row.id for row in list_uploads(session, actor, model_id=model_id)}
    try:
        shards = set(shards_of(upload_path(uploads[INDEX])).values()) if INDEX in uploads else set()
    except Invalid:
        shards = set()  # the worker reports what is wrong with it
    return missing_file(set(uploads), shards)


def queue_check(session: Session, model: VideoModel) -> None:
    """Has a worker collect and check the files, which are in the model's folder or among the uploads."""
    model.status, model.error, model.details = ModelStatus.PROCESSING, "", {"stage": CHECKING}
    session.add(model)
    session.flush()
    _enqueue(session, model)


def retry_import(session: Session, actor: Actor, model_id: int, credential_id: int = 0) -> ModelRow:
    """Repeats a download that failed, or the check of a folder.

    Args:
        credential_id: a stored Hub token to use from now on; 0 for the one before.

    Raises:
        Conflict: nothing has failed. Invalid: the credential is no Hub token. NotFound.
    """
    model = owned_model(session, actor, model_id)
    if model.source not in (ModelSource.HUB, ModelSource.PATH) or model.status is not ModelStatus.ERROR:
        raise Conflict("There is nothing to try again here.")
    record(session, actor, Act.MODEL_IMPORT_REQUESTED, model_id, model.name)
    if model.source is ModelSource.PATH:
        queue_check(session, model)
        return row_for(session, actor, model)
    request = {key: value for key, value in model.details.items() if key in _REQUEST_KEYS}
    if credential_id:
        request["credential_id"] = hub_credential(session, actor, credential_id)
    model.status, model.error, model.details = ModelStatus.PROCESSING, "", {"stage": FETCHING, **request}
    session.add(model)
    session.flush()
    _enqueue(session, model)
    return row_for(session, actor, model)


def fail_import(model_id: int, sentence: str, keep: bool = False) -> str:
    """Marks a model as failed and deletes its files; the request stays, so that it can be tried again.

    Args:
        sentence: the reason, for the model's page.
        keep: keeps partial downloads for two days, because only the connection was lost.

    Returns:
        "error", or "called off" where it was deleted or is not processed any more; for the log of the queue.
    """
    begun = partial_bytes(model_id) if keep else 0
    sentence += partial_fetch_note(begun, "trying again")
    with session_scope() as session:
        model = session.get(VideoModel, model_id)
        if model is None:  # it was deleted while a worker wrote into its folder
            remove_model_folder(model_id)
        if model is None or model.status is not ModelStatus.PROCESSING:
            return "called off"
        request = {key: value for key, value in model.details.items() if key in _REQUEST_KEYS}
        model.status, model.error, model.details = ModelStatus.ERROR, sentence[:1000], request
        session.add(model)
    if not begun:
        remove_model_folder(model_id)
    return "error"


def delete_stale_downloads(age_s: float) -> None:
    """Deletes the files of downloads that were interrupted more than `age_s` seconds ago."""
    with session_scope() as session:
        failed = select(VideoModel.id).where(
            VideoModel.status == ModelStatus.ERROR, VideoModel.source == ModelSource.HUB
        )
        ids = [model_id for model_id in session.exec(failed) if model_id]
    for model_id in ids:
        partial = model_folder(model_id) / PARTIAL_FOLDER
        if partial.is_dir() and time.time() - partial.stat().st_mtime > age_s:
            remove_model_folder(model_id)


def _add(session: Session, actor: Actor, model: VideoModel) -> ModelRow:
    model.status = ModelStatus.PROCESSING
    session.add(model)
    session.flush()
    after = {"type": model.model_type.value, "source": model.source.value, "place": model.source_ref}
    record(session, actor, Act.MODEL_CREATED, model.id, model.name, after=after)
    return row_for(session, actor, model)


def _stage(model: VideoModel) -> str:
    return str(model.details.get("stage", "")) if model.status is ModelStatus.PROCESSING else ""


def _enqueue(session: Session, model: VideoModel) -> None:
    model_id, share = model.id or 0, model_share(model)
    after_commit(session, lambda: enqueue(TASK_MODEL, model_key(model_id), PREP, share, model_id=model_id))


def model_share(model: VideoModel) -> Share:
    """Whose model it is, and how many bytes are fetched and checked."""
    return Share(model.owner_id or 0, model.size_bytes or UNKNOWN_BYTES)
