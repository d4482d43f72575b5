"""Resumable uploads by tus 1.0 (creation, termination): streamed to disk, the owner checked before the first byte."""

import base64
import binascii
import errno
from contextlib import suppress
from typing import Annotated, Any

from fastapi import APIRouter, Header, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from orchestrator.api.receiving import receive
from orchestrator.api.shapes import QueryId, shape
from orchestrator.api.who import Who
from orchestrator.domain.errors import AppError, Invalid, TooLarge
from orchestrator.domain.users import Actor
from orchestrator.services.datasets.ingest.uploads import begin_upload
from orchestrator.services.db import session_scope
from orchestrator.services.models.adding import begin_file
from orchestrator.services.uploads import uploads
from orchestrator.services.uploads.part_file import PartFile, upload_path
from orchestrator.settings import get_settings

router = APIRouter(tags=["uploads"])
VERSION = "1.0.0"
_TUS = {"Tus-Resumable": VERSION}


class _WrongVersion(AppError):
    status = 412


class _WrongType(AppError):
    status = 415


def _check_version(tus_resumable: str) -> None:
    if tus_resumable and tus_resumable != VERSION:
        raise _WrongVersion(f"This server speaks tus {VERSION}.")


def parse_metadata(header: str) -> dict[str, str]:
    """The `Upload-Metadata` header: `key base64,key base64`.

    Raises:
        Invalid: it is not of that form.
    """
    found: dict[str, str] = {}
    for pair in header.split(","):
        key, _, value = pair.strip().partition(" ")
        try:
            found[key] = base64.b64decode(value.strip(), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError) as error:
            raise Invalid("Upload-Metadata must be pairs of a name and a base64 value.", "Upload-Metadata") from error
    return found


def _target(metadata: dict[str, str]) -> tuple[str, int]:
    """What the file is for: ("dataset_id" or "model_id", its id)."""
    name = "model_id" if "model_id" in metadata else "dataset_id"
    text = metadata.get(name, "")
    if not (text.isascii() and text.isdigit()) or len(text) > 18:
        raise Invalid("Say in Upload-Metadata which dataset_id or model_id the file is for.", name)
    return name, int(text)


def _headers(row: uploads.UploadRow) -> dict[str, str]:
    return _TUS | {"Upload-Offset": str(row.offset), "Upload-Length": str(row.length)}


@router.options("/uploads", status_code=204)
def what_is_spoken() -> Response:
    limit = str(get_settings().max_upload_bytes)
    offer = {"Tus-Version": VERSION, "Tus-Extension": "creation,termination", "Tus-Max-Size": limit}
    return Response(status_code=204, headers=_TUS | offer)


@router.get("/uploads")
def list_uploads(actor: Who, dataset_id: QueryId = None, model_id: QueryId = None) -> dict[str, Any]:
    """What has arrived for one dataset or model and was not read yet: a sender that was cut off goes on from there."""
    if (dataset_id is None) == (model_id is None):
        raise Invalid("Say which dataset_id or model_id.", "dataset_id")
    with session_scope() as session:
        rows = [shape(row) for row in uploads.list_uploads(session, actor, dataset_id, model_id)]
    return {"items": rows, "next": None, "total": len(rows)}


@router.post("/uploads", status_code=201)
def begin(
    actor: Who,
    upload_length: Annotated[str, Header()] = "",
    upload_metadata: Annotated[str, Header()] = "",
    tus_resumable: Annotated[str, Header()] = "",
) -> Response:
    _check_version(tus_resumable)
    if not (upload_length.isascii() and upload_length.isdigit()) or len(upload_length) > 18:
        raise Invalid("Upload-Length must say how many bytes will come.", "Upload-Length")
    metadata = parse_metadata(upload_metadata)
    name, target = _target(metadata)
    begin_one = begin_file if name == "model_id" else begin_upload
    with session_scope() as session:
        row = begin_one(session, actor, target, metadata.get("filename", ""), int(upload_length))
    return Response(status_code=201, headers=_headers(row) | {"Location": f"/api/v1/uploads/{row.id}"})


def _find(actor: Actor, upload_id: str) -> uploads.UploadRow:
    with session_scope() as session:
        row = uploads.find_upload(session, actor, upload_id)
        # A crash between the last byte and this note would leave a whole upload waiting for ever.
        whole = row.offset == row.length and not row.complete
        return uploads.complete_upload(session, actor, upload_id) if whole else row


@router.head("/uploads/{upload_id}")
def ask_offset(actor: Who, upload_id: str, tus_resumable: Annotated[str, Header()] = "") -> Response:
    _check_version(tus_resumable)
    return Response(status_code=200, headers=_headers(_find(actor, upload_id)) | {"Cache-Control": "no-store"})


def _discard(actor: Actor, upload_id: str) -> None:
    with session_scope() as session:
        uploads.discard_upload(session, actor, upload_id)


@router.delete("/uploads/{upload_id}", status_code=204)
def cancel(actor: Who, upload_id: str, tus_resumable: Annotated[str, Header()] = "") -> Response:
    _check_version(tus_resumable)
    _discard(actor, upload_id)
    return Response(status_code=204, headers=_TUS)


@router.patch("/uploads/{upload_id}", status_code=204)
async def go_on(
    actor: Who,
    upload_id: str,
    request: Request,
    upload_offset: Annotated[str, Header()] = "",
    content_type: Annotated[str, Header()] = "",
    content_length: Annotated[str, Header()] = "",
    tus_resumable: Annotated[str, Header()] = "",
) -> Response:
    _check_version(tus_resumable)
    if content_type.partition(";")[0].strip() != "application/offset+octet-stream":
        raise _WrongType("Send the bytes as application/offset+octet-stream.")
    if not (upload_offset.isascii() and upload_offset.isdigit()) or len(upload_offset) > 18:
        raise Invalid("Upload-Offset must say where these bytes begin.", "Upload-Offset")
    row, offset = await run_in_threadpool(_find, actor, upload_id), int(upload_offset)
    if content_length.isdigit() and offset + int(content_length) > row.length:
        raise TooLarge(f"More bytes would come than the {row.length} that were announced. Start the upload again.")
    part = PartFile(upload_path(row.id), offset, row.length)
    try:
        with part, suppress(ClientDisconnect):  # the client goes on from what arrived
            await receive(request, part)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            await run_in_threadpool(_discard, actor, upload_id)
        raise
    row = await run_in_threadpool(_find, actor, upload_id)
    return Response(status_code=204, headers=_headers(row))
