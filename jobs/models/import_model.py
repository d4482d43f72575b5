"""Imports a base model in the prep worker: fetches or collects its files, and checks its configuration and tensors."""

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any

import structlog
from sqlmodel import Session, col, select

from jobs.families.registry import read_base, resolve
from jobs.families.weights import check_weights_fit
from jobs.fetch.child import fetch_messages
from jobs.processes.lease import Lease
from orchestrator.domain.datasets import Upload
from orchestrator.domain.errors import AppError, Invalid
from orchestrator.domain.models import ModelSource, ModelStatus, VideoModel
from orchestrator.domain.redis_keys import model_lease
from orchestrator.services.credentials import credential_secret
from orchestrator.services.db import session_scope
from orchestrator.services.fetching import fetch_request
from orchestrator.services.models.adding import CHECKING, FETCHING, fail_import
from orchestrator.services.models.catalog import apply_facts, relink_adapters
from orchestrator.services.models.files import PARTIAL_FOLDER, model_folder, partial_bytes
from orchestrator.services.models.folders import allowed_folder
from orchestrator.services.models.inspect import inspect_model
from orchestrator.services.models.integrity import check_files
from orchestrator.services.uploads.part_file import upload_path
from orchestrator.services.vault import unseal

log = structlog.get_logger()
_RESERVED_BYTES = 512 * 2**20


class _Interrupted(Invalid):
    """The fetch ended before all files had arrived; what arrived is kept."""


def run_model_import(model_id: int) -> str:
    """Fetches or collects the files, checks them, and marks the model as ready; its status at the end."""
    lease = Lease(model_lease(model_id), int(time.time() * 1000))
    lease.keep()
    try:
        return _import(model_id, lambda: not lease.fenced)
    finally:
        lease.release()


def _import(model_id: int, should_continue: Callable[[], bool]) -> str:
    stage = _stage(model_id)
    if not stage:
        return "nothing to do"
    try:
        folder = _model_folder(model_id)
        revision = _fetch(model_id, folder, should_continue) if stage == FETCHING else _collect(model_id, folder)
        _update_details(model_id, stage=CHECKING)
        facts = inspect_model(folder)
        check_files(folder)
        base = read_base(folder)
        check_weights_fit(resolve(base).model_class, base)
        with session_scope() as session:
            model = _processing(session, model_id)
            if model is None:
                return "cancelled"
            apply_facts(model, folder, facts)
            if revision:
                model.details = {**model.details, "hub_revision": revision}
            relink_adapters(session, model)
        return "ready"
    except _Interrupted as error:
        return fail_import(model_id, error.message, keep=True)
    except AppError as error:
        return fail_import(model_id, error.message)
    except OSError as error:
        return fail_import(model_id, f"The files could not be read: {error.strerror}. Try again.")


def _model_folder(model_id: int) -> Path:
    """The folder of its files: a folder that an administrator named is used where it is."""
    with session_scope() as session:
        model = _processing(session, model_id)
        named = model.source_ref if model is not None and model.source is ModelSource.PATH else ""
    return allowed_folder(named) if named else model_folder(model_id)


def _stage(model_id: int) -> str:
    """FETCHING or CHECKING; "" when there is nothing to do."""
    with session_scope() as session:
        model = _processing(session, model_id)
        return str(model.details.get("stage", "")) if model is not None else ""


def _processing(session: Session, model_id: int) -> VideoModel | None:
    """The model, unless its import was cancelled or it was deleted."""
    model = session.get(VideoModel, model_id)
    return model if model is not None and model.status is ModelStatus.PROCESSING else None


def _update_details(model_id: int, **details: Any) -> None:
    with session_scope() as session:
        model = _processing(session, model_id)
        if model is not None:
            model.details = {**model.details, **details}
            session.add(model)


def _collect(model_id: int, folder: Path) -> str:
    """Moves complete uploads into the model's folder, without the folders in their names."""
    with session_scope() as session:
        uploads = session.exec(select(Upload).where(col(Upload.model_id) == model_id)).all()
        folder.mkdir(parents=True, exist_ok=True)
        for upload in uploads:
            source = upload_path(upload.id)
            if source.exists():
                os.replace(source, folder / PurePosixPath(upload.filename).name)
            session.delete(upload)
    return ""


def _fetch(model_id: int, folder: Path, should_continue: Callable[[], bool]) -> str:
    """Downloads the files of the Hub, in a process of the sandbox; their commit.

    Raises:
        Invalid: a sentence that ends the import.
    """
    with session_scope() as session:
        model = _processing(session, model_id)
        if model is None or model.source is not ModelSource.HUB:
            raise Invalid("This model is not fetched from the Hub.")
        credentials = unseal(model.details["sealed_token"]) if model.details.get("sealed_token") else {}
        if model.details.get("credential_id"):
            credentials = credential_secret(session, model.owner_id or 0, model.details["credential_id"])
        source = {"type": "hub", "repo": model.source_ref, "revision": model.details.get("wanted_revision", "")}
    folder.mkdir(parents=True, exist_ok=True)
    max_bytes = max(1, shutil.disk_usage(folder).free + partial_bytes(model_id) - _RESERVED_BYTES)
    request, revision = fetch_request(source, credentials, folder, max_bytes), ""
    for message in fetch_messages(request, lambda: should_continue() and bool(_stage(model_id))):
        if "problem" in message:
            raise _Interrupted(str(message["problem"]))
        revision = message.get("revision", revision)
        if "files" in message:
            for temporary in (".hub", PARTIAL_FOLDER):
                shutil.rmtree(folder / temporary, ignore_errors=True)
            return str(revision)
        _update_details(model_id, done=message["done"], total=message["total"])
    raise Invalid("Fetching was cancelled.")
