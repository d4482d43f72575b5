"""Brings a base model in: from the browser, or from the Hugging Face Hub; a worker fetches and checks its files."""

import time
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

from sqlmodel import Session, col, select

from orchestrator.domain.datasets import Upload, UploadStatus
from orchestrator.domain.errors import AppError, Conflict, Invalid
from orchestrator.domain.models import ModelSource, ModelStatus, VideoModel
from orchestrator.domain.redis_keys import TASK_MODEL
from orchestrator.domain.sizes import resumable_note
from orchestrator.domain.users import Actor
from orchestrator.services.access import owned_model
from orchestrator.services.after_commit import after_commit
from orchestrator.services.db import session_scope
from orchestrator.services.hub import hub_credential, hub_problems
from orchestrator.services.models.catalog import new_model, row_of
from orchestrator.services.models.files import (
    INDEX,
    PARTS,
    begun_bytes,
    file_problem,
    lacking,
    model_folder,
    remove_model_folder,
)
from orchestrator.services.models.inspect import shards_of
from orchestrator.services.models.rows import ModelRow
from orchestrator.services.queue import enqueue, model_key
from orchestrator.services.uploads.part_file import upload_path
from orchestrator.services.uploads.uploads import UploadRow, clean_name, create_upload, discard_upload, list_uploads
from orchestrator.services.vault import seal

PREP = "prep"
RECEIVING, FETCHING, CHECKING = "receiving", "fetching", "checking"
"""`details["stage"]` of a model in processing."""
_ASKED_FOR = ("wanted_revision", "credential_id")
"""What of the details stays over a failure, so that it can be tried again."""


def begin_model_upload(
    session: Session, actor: Actor, name: str, description: str, model_type: str, architecture: str = ""
) -> ModelRow:
    """A model that waits for its files.

    Raises:
        Invalid: `problems` by field. Conflict: the name is taken.
    """
    model = new_model(session, actor, name, description, model_type, architecture)
    model.source, model.details = ModelSource.UPLOAD, {"stage": RECEIVING}
    return _added(session, actor, model)


def add_from_hub(
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
    """A model that a worker fetches at once; `revision` is pinned to a commit when the fetch begins.

    Args:
        token: a Hub token for gated or private models; sealed, used for this fetch only, then forgotten.
        credential_id: a stored Hub token instead.

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
    row = _added(session, actor, model)
    _send(session, row.id)
    return row


def begin_again(session: Session, actor: Actor, model_id: int) -> ModelRow:
    """Files once more for a model whose upload was broken off or refused; what had arrived of it goes.

    Raises:
        Conflict: it waits for none. NotFound.
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
    return row_of(session, actor, model)


def takes_files(session: Session, actor: Actor, model_id: int, begun: bool = False) -> bool:
    """Whether the actor's model waits for files; `begun`: and some of them have arrived, whole or in part."""
    try:
        model = owned_model(session, actor, model_id)
    except AppError:
        return False
    return _stage(model) == RECEIVING and (not begun or bool(list_uploads(session, actor, model_id=model_id)))


def abandoned_models(before: datetime) -> list[int]:
    """Models that still wait for files, of which nothing came since `before`."""
    with session_scope() as session:
        models = session.exec(select(VideoModel).where(VideoModel.status == ModelStatus.PROCESSING)).all()
        fresh = set(session.exec(select(Upload.model_id).where(col(Upload.created_at) >= before)).all())
        return [
            model.id
            for model in models
            if model.id and _stage(model) == RECEIVING and model.created_at < before and model.id not in fresh
        ]


def begin_file(session: Session, actor: Actor, model_id: int, filename: str, length: int) -> UploadRow:
    """Makes room for one of a model's files.

    Raises:
        Invalid, TooLarge, DiskFull, Conflict (it waits for none), NotFound.
    """
    model = owned_model(session, actor, model_id)
    if model.source is not ModelSource.UPLOAD or model.status is ModelStatus.READY or _stage(model) == CHECKING:
        raise Conflict("This model takes no files now. Add another model for them.")
    path = PurePosixPath(clean_name(filename))
    if problem := file_problem(path.name, length):
        raise Invalid(problem, "filename")
    _give_way(session, actor, model_id, path)
    upload = Upload(id="", owner_id=actor.user_id, model_id=model_id, filename="", length=length)
    return create_upload(session, upload, filename)


def _give_way(session: Session, actor: Actor, model_id: int, path: PurePosixPath) -> None:
    """Of two files of one name in different folders the one nearer to the top is the model's.

    Raises:
        Invalid: that is one that is here already.
    """
    for known in list_uploads(session, actor, model_id=model_id):
        other = PurePosixPath(known.filename)
        if other.name == path.name and other != path:
            if len(other.parts) <= len(path.parts):
                raise Invalid(f"{other} is here already, and a model has one {path.name}. Leave out one.", "filename")
            discard_upload(session, actor, known.id)


def request_check(session: Session, actor: Actor, model_id: int) -> ModelRow:
    """All files are in: a worker shall check them. Asking twice is harmless.

    Raises:
        Conflict: nothing has arrived, something is still arriving, or a file is missing. NotFound.
    """
    model = owned_model(session, actor, model_id)
    if model.status is ModelStatus.READY or _stage(model) in (CHECKING, FETCHING):
        return row_of(session, actor, model)
    found = session.exec(select(Upload.status).where(col(Upload.model_id) == model_id)).all()
    if UploadStatus.RECEIVING in found:
        raise Conflict("Some files are still on their way. Wait for them, or cancel them.")
    if not found:
        raise Conflict("No files have arrived for this model. Add some first.")
    if sentence := _lacking(session, actor, model_id):
        raise Conflict(f"{sentence} What has arrived stays.", "files")
    check_soon(session, model)
    return row_of(session, actor, model)


def _lacking(session: Session, actor: Actor, model_id: int) -> str:
    """Which file of a model has not arrived: said while all of them stay; a refused check keeps nothing."""
    here = {PurePosixPath(row.filename).name: row.id for row in list_uploads(session, actor, model_id=model_id)}
    try:
        shards = set(shards_of(upload_path(here[INDEX])).values()) if INDEX in here else set()
    except Invalid:
        shards = set()  # the worker says what is wrong with it
    return lacking(set(here), shards)


def check_soon(session: Session, model: VideoModel) -> None:
    """Its files lie in its folder or among the uploads: a worker collects and checks them."""
    model.status, model.error, model.details = ModelStatus.PROCESSING, "", {"stage": CHECKING}
    session.add(model)
    session.flush()
    _send(session, model.id or 0)


def try_again(session: Session, actor: Actor, model_id: int, credential_id: int = 0) -> ModelRow:
    """Fetches once more what could not be fetched, with a stored Hub token where one is named; reads a folder again.

    Raises:
        Conflict: there is nothing to fetch. Invalid: that is no Hub token. NotFound.
    """
    model = owned_model(session, actor, model_id)
    if model.source not in (ModelSource.HUB, ModelSource.PATH) or model.status is not ModelStatus.ERROR:
        raise Conflict("There is nothing to fetch again here.")
    if model.source is ModelSource.PATH:
        check_soon(session, model)
        return row_of(session, actor, model)
    kept = {key: value for key, value in model.details.items() if key in _ASKED_FOR}
    if credential_id:
        kept["credential_id"] = hub_credential(session, actor, credential_id)
    model.status, model.error, model.details = ModelStatus.PROCESSING, "", {"stage": FETCHING, **kept}
    session.add(model)
    session.flush()
    _send(session, model_id)
    return row_of(session, actor, model)


def refuse(model_id: int, sentence: str, keep: bool = False) -> str:
    """Leaves the sentence and none of the files; what was asked for stays, so that it can be tried again.

    Args:
        keep: what has arrived stays for two days, since only the line broke.
    """
    begun = begun_bytes(model_id) if keep else 0
    sentence += resumable_note(begun, "trying again")
    with session_scope() as session:
        model = session.get(VideoModel, model_id)
        if model is None:  # deleted while a worker wrote into its folder
            remove_model_folder(model_id)
        if model is None or model.status is not ModelStatus.PROCESSING:
            return "called off"
        kept = {key: value for key, value in model.details.items() if key in _ASKED_FOR}
        model.status, model.error, model.details = ModelStatus.ERROR, sentence[:1000], kept
        session.add(model)
    if not begun:
        remove_model_folder(model_id)
    return "error"


def forget_broken_fetches(age_s: float) -> None:
    """Deletes what arrived of models whose fetch broke off longer ago than that."""
    with session_scope() as session:
        failed = select(VideoModel.id).where(
            VideoModel.status == ModelStatus.ERROR, VideoModel.source == ModelSource.HUB
        )
        ids = [model_id for model_id in session.exec(failed) if model_id]
    for model_id in ids:
        parts = model_folder(model_id) / PARTS
        if parts.is_dir() and time.time() - parts.stat().st_mtime > age_s:
            remove_model_folder(model_id)


def _added(session: Session, actor: Actor, model: VideoModel) -> ModelRow:
    model.status = ModelStatus.PROCESSING
    session.add(model)
    session.flush()
    return row_of(session, actor, model)


def _stage(model: VideoModel) -> str:
    return str(model.details.get("stage", "")) if model.status is ModelStatus.PROCESSING else ""


def _send(session: Session, model_id: int) -> None:
    def letter() -> Any:
        return enqueue(TASK_MODEL, model_key(model_id), PREP, model_id=model_id)

    after_commit(session, letter)
