"""Fetches a dataset's source and turns the files into uploads, or leaves a sentence and nothing."""

import os
import secrets
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jobs.fetch.child import fetch_messages
from orchestrator.domain.datasets import DETECTING_LAYOUT, FETCHING, Dataset, DatasetStatus, Upload, UploadStatus
from orchestrator.domain.errors import AppError
from orchestrator.domain.formatting import partial_fetch_note
from orchestrator.services.credentials import credential_secret
from orchestrator.services.datasets.files import fetch_folders, partial_bytes
from orchestrator.services.db import session_scope
from orchestrator.services.fetching import fetch_request
from orchestrator.services.uploads.part_file import upload_path
from orchestrator.services.uploads.uploads import clean_name
from orchestrator.settings import get_settings

_RESERVED_BYTES = 512 * 2**20
"""Left free on the disk for the database and the runs."""
STOPPED = "stopped"


def fetch_source(dataset_id: int, should_continue: Callable[[], bool]) -> str:
    """Fetches the dataset's source, if it has one that is to be fetched.

    Returns:
        "" when it is here (or there is none), `STOPPED` when it was cancelled, or the sentence that ends the import.
    """
    with session_scope() as session:
        dataset = session.get(Dataset, dataset_id)
        if dataset is None or dataset.status is not DatasetStatus.PROCESSING or dataset.stage != FETCHING:
            return ""
        source, owner_id = dict(dataset.source), dataset.owner_id
        try:
            credential_id = source.get("credential_id")
            credentials = credential_secret(session, owner_id, credential_id) if credential_id else {}
        except AppError as error:
            return error.message
    folder, kept = _fetch_folder(dataset_id, source), 0
    free = max(1, shutil.disk_usage(folder).free + partial_bytes(folder) - _RESERVED_BYTES)
    request = fetch_request(source, credentials, folder, min(get_settings().max_upload_bytes, free))
    try:
        for message in fetch_messages(request, should_continue):
            if "problem" in message:
                kept = partial_bytes(folder)
                return str(message["problem"]) + partial_fetch_note(kept, "fetching it again")
            if "files" in message:
                return "" if _to_uploads(dataset_id, owner_id, message["files"], folder) else STOPPED
            os.utime(folder)  # housekeeping removes folders that nothing was written to for two days
            _report_progress(dataset_id, message)
        return STOPPED
    finally:
        if not kept:
            shutil.rmtree(folder, ignore_errors=True)


def _fetch_folder(dataset_id: int, source: dict[str, Any]) -> Path:
    """A folder to fetch into: with what an earlier attempt left of the same source, else an empty one."""
    folder = get_settings().data_dir / "uploads" / f"fetch-{dataset_id}-{secrets.token_hex(4)}"
    for earlier in fetch_folders(dataset_id):
        if not folder.exists() and partial_bytes(earlier, source):
            os.replace(earlier, folder)
            os.utime(folder)
        else:
            shutil.rmtree(earlier, ignore_errors=True)  # of a worker that was killed, or of another source
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _report_progress(dataset_id: int, message: dict[str, Any]) -> None:
    """Writes how far the fetch is, in kilobytes: the columns hold 32 bits."""
    with session_scope() as session:
        dataset = session.get(Dataset, dataset_id)
        if dataset is not None and dataset.stage == FETCHING:
            dataset.progress_done, dataset.progress_total = message["done"] // 1000, message["total"] // 1000
            if message.get("revision"):
                dataset.source = {**dataset.source, "fetched_revision": message["revision"]}
            session.add(dataset)


def _to_uploads(dataset_id: int, owner_id: int, files: list[list[str]], folder: Path) -> bool:
    """Makes complete uploads of the files, which the import reads like any others.

    Returns:
        False when the dataset is no longer being fetched.
    """
    with session_scope() as session:
        dataset = session.get(Dataset, dataset_id)
        if dataset is None or dataset.status is not DatasetStatus.PROCESSING or dataset.stage != FETCHING:
            return False
        for path, name in files:
            upload = Upload(
                id=secrets.token_urlsafe(18),
                owner_id=owner_id,
                dataset_id=dataset_id,
                filename=clean_name(name),
                length=os.path.getsize(folder / Path(path).name),
                status=UploadStatus.COMPLETE,
            )
            os.replace(folder / Path(path).name, upload_path(upload.id))
            session.add(upload)
        dataset.stage = DETECTING_LAYOUT if dataset.source.get("review") else ""
        dataset.progress_done = dataset.progress_total = 0
        session.add(dataset)
    return True
