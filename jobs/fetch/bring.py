"""Fetches a dataset's source in a child process and turns what came into uploads, or leaves a sentence and nothing."""

import json
import os
import secrets
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from jobs.processes.parent_death import die_with_parent
from orchestrator.domain.datasets import FETCHING, UNDERSTANDING, Dataset, DatasetStatus, Upload, UploadStatus
from orchestrator.domain.errors import AppError
from orchestrator.domain.sizes import resumable_note
from orchestrator.services.credentials import credential_secret
from orchestrator.services.datasets.files import begun_bytes, fetch_folders
from orchestrator.services.db import session_scope
from orchestrator.services.hub import child_env
from orchestrator.services.uploads.part_file import upload_path
from orchestrator.services.uploads.uploads import clean_name
from orchestrator.settings import ROOT, get_settings

_SPARE_BYTES = 512 * 2**20
_SILENT_S = 90.0
_LOOK_S = 0.5
STOPPED = "stopped"


def bring(dataset_id: int, go_on: Callable[[], bool]) -> str:
    """Fetches what is wanted: "" when done or nothing is wanted, `STOPPED`, or the sentence that ends it."""
    with session_scope() as session:
        dataset = session.get(Dataset, dataset_id)
        if dataset is None or dataset.status is not DatasetStatus.PROCESSING or dataset.stage != FETCHING:
            return ""
        source, owner_id = dict(dataset.source), dataset.owner_id
        try:
            lent = credential_secret(session, owner_id, source["credential_id"]) if source.get("credential_id") else {}
        except AppError as error:
            return error.message
    settings, kept = get_settings(), 0
    folder = _place(dataset_id, source)
    free = max(1, shutil.disk_usage(folder).free + begun_bytes(folder) - _SPARE_BYTES)
    wish = {
        "source": source,
        "secrets": lent,
        "folder": str(folder),
        "max_bytes": min(settings.max_upload_bytes, free),
        "patience_s": settings.fetch_patience_s,
        # The operator's own mirror of the Hub may lie in a private network; a person names a dataset, never a host.
        "allow_private": settings.allow_private_urls
        or (source["type"] == "hub" and bool(os.environ.get("HF_ENDPOINT"))),
    }
    try:
        for told in listen(wish, go_on):
            if "problem" in told:
                kept = begun_bytes(folder)
                return str(told["problem"]) + resumable_note(kept, "fetching it again")
            if "files" in told:
                return "" if _hand_over(dataset_id, owner_id, told["files"], folder) else STOPPED
            os.utime(folder)  # two days from the last that was heard of it
            _report(dataset_id, told)
        return STOPPED
    finally:
        if not kept:
            shutil.rmtree(folder, ignore_errors=True)


def _place(dataset_id: int, source: dict[str, Any]) -> Path:
    """A folder to fetch into: with what an earlier try left of the same source, else an empty one."""
    folder = get_settings().data_dir / "uploads" / f"fetch-{dataset_id}-{secrets.token_hex(4)}"
    for old in fetch_folders(dataset_id):
        if not folder.exists() and begun_bytes(old, source):
            os.replace(old, folder)
            os.utime(folder)
        else:
            shutil.rmtree(old, ignore_errors=True)  # of a worker that was killed, or of another source
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def listen(wish: dict[str, Any], go_on: Callable[[], bool]) -> Iterator[dict[str, Any]]:
    """What the child says, until it ends, falls silent, or is not wanted any more."""
    me = os.getpid()
    child = subprocess.Popen(
        [sys.executable, "-m", "jobs.fetch"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=child_env(Path(wish["folder"]), wish["allow_private"]),
        cwd=ROOT,
        start_new_session=True,
        preexec_fn=lambda: die_with_parent(me),
    )
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        child.stdin.write(json.dumps(wish).encode() + b"\n")
        child.stdin.close()
        yield from _lines(child.stdout.fileno(), go_on)
    finally:
        child.kill()
        child.wait()
        child.stdout.close()


def _lines(output: int, go_on: Callable[[], bool]) -> Iterator[dict[str, Any]]:
    rest, heard_at = b"", time.monotonic()
    while go_on():
        if select.select([output], [], [], _LOOK_S)[0]:
            block = os.read(output, 2**16)
            if not block:
                yield {"problem": "Fetching ended unexpectedly. Try again."}
                return
            heard_at = time.monotonic()
            *whole, rest = (rest + block).split(b"\n")
            yield from (json.loads(line) for line in whole)
        elif time.monotonic() - heard_at > _SILENT_S:
            yield {"problem": "The server does not answer any more. Try again later."}
            return


def _report(dataset_id: int, told: dict[str, Any]) -> None:
    """Bytes as kilobytes: the columns hold 32 bits."""
    with session_scope() as session:
        dataset = session.get(Dataset, dataset_id)
        if dataset is not None and dataset.stage == FETCHING:
            dataset.progress_done, dataset.progress_total = told["done"] // 1000, told["total"] // 1000
            if told.get("revision"):
                dataset.source = {**dataset.source, "fetched_revision": told["revision"]}
            session.add(dataset)


def _hand_over(dataset_id: int, owner_id: int, files: list[list[str]], folder: Path) -> bool:
    """What was fetched becomes complete uploads, which the ingest reads like any others; False when not wanted."""
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
        dataset.stage = UNDERSTANDING if dataset.source.get("review") else ""
        dataset.progress_done = dataset.progress_total = 0
        session.add(dataset)
    return True
