"""Resumable uploads by the tus protocol 1.0 (creation, termination); permission is checked before the first byte."""

import base64
import errno
from typing import Annotated

from fastapi import Header, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from orchestrator.api.authentication import CurrentUser
from orchestrator.api.checked_route import streams_body
from orchestrator.api.disconnect import BodyTooSlow
from orchestrator.api.documented_route import documented_router
from orchestrator.api.person_slots import run_for
from orchestrator.api.request_body import write_body
from orchestrator.api.rules import one_of
from orchestrator.api.schema.markers import Media
from orchestrator.api.schema.refusals import refusals
from orchestrator.api.serialization import QueryId, complete_page
from orchestrator.domain.errors import AppError, Invalid, TooLarge
from orchestrator.domain.numbers import parse_id, parse_number
from orchestrator.domain.plain_text import is_storable
from orchestrator.domain.users import Actor
from orchestrator.services.datasets.ingest.uploads import begin_upload
from orchestrator.services.db import session_scope
from orchestrator.services.models.adding import create_file_upload
from orchestrator.services.paging import Page
from orchestrator.services.uploads import uploads
from orchestrator.services.uploads.part_file import PartFile, upload_path
from orchestrator.services.uploads.uploads import UploadRow
from orchestrator.settings import get_settings

router = documented_router(tags=["uploads"])
VERSION = "1.0.0"
_TUS = {"Tus-Resumable": VERSION}
_RESUMABLE = {"Tus-Resumable": "The version of the protocol."}
_OFFSETS = _RESUMABLE | {"Upload-Offset": "Bytes that have arrived.", "Upload-Length": "Bytes of the complete file."}
Version = Annotated[str, Header(), one_of((VERSION,), "")]
Progress = Annotated[Response, Media(headers=_OFFSETS)]
Begun = Annotated[Response, Media(headers=_OFFSETS | {"Location": "The address of the upload."})]
_OPTIONS = _RESUMABLE | {
    "Tus-Version": "The versions that are supported.",
    "Tus-Extension": "The extensions that are supported.",
    "Tus-Max-Size": "The most bytes that a file may have.",
}
_WRONG_VERSION = refusals(412)


class _WrongVersion(AppError):
    status = 412


class _WrongType(AppError):
    status = 415


def _check_version(tus_resumable: str) -> None:
    if tus_resumable and tus_resumable != VERSION:
        raise _WrongVersion(f"This server supports tus {VERSION}.")


def parse_metadata(header: str) -> dict[str, str]:
    """The `Upload-Metadata` header: `key base64,key base64`.

    Raises:
        Invalid: it is not of that form.
    """
    metadata: dict[str, str] = {}
    for pair in header.split(","):
        key, _, value = pair.strip().partition(" ")
        try:
            metadata[key] = base64.b64decode(value.strip(), validate=True).decode()
        except ValueError as error:  # not base64, not ASCII, not UTF-8
            raise Invalid("Upload-Metadata must be pairs of a name and a base64 value.", "Upload-Metadata") from error
    if not all(map(is_storable, metadata.values())):
        raise Invalid("A value in Upload-Metadata holds a character that is no text.", "Upload-Metadata")
    return metadata


def _target(metadata: dict[str, str]) -> tuple[str, int]:
    """What the file belongs to: ("dataset_id" or "model_id", its id)."""
    name = "model_id" if "model_id" in metadata else "dataset_id"
    target_id = parse_id(metadata.get(name, ""))
    if not target_id:
        raise Invalid("Upload-Metadata must name the dataset_id or model_id that the file belongs to.", name)
    return name, target_id


def _headers(row: uploads.UploadRow) -> dict[str, str]:
    return _TUS | {"Upload-Offset": str(row.offset), "Upload-Length": str(row.length)}


@router.options(
    "/uploads", status_code=204, operation_id="what_is_spoken_api_v1_uploads_options", summary="What Is Spoken"
)
def protocol_options() -> Annotated[Response, Media(headers=_OPTIONS)]:
    """The tus version and extensions that this server supports."""
    limit = str(get_settings().max_upload_bytes)
    options = {"Tus-Version": VERSION, "Tus-Extension": "creation,termination", "Tus-Max-Size": limit}
    return Response(status_code=204, headers=_TUS | options)


@router.get("/uploads")
def list_uploads(actor: CurrentUser, dataset_id: QueryId = None, model_id: QueryId = None) -> Page[UploadRow]:
    """The uploads of one dataset or model that were not imported yet; an interrupted sender resumes from these."""
    if (dataset_id is None) == (model_id is None):
        raise Invalid("Name either a dataset_id or a model_id.", "dataset_id")
    with session_scope() as session:
        return complete_page(uploads.list_uploads(session, actor, dataset_id, model_id))


@router.post("/uploads", status_code=201, responses=refusals(404, 412, 413))
def begin(
    actor: CurrentUser,
    upload_length: Annotated[str, Header()] = "",
    upload_metadata: Annotated[str, Header()] = "",
    tus_resumable: Version = "",
) -> Begun:
    _check_version(tus_resumable)
    if (length := parse_number(upload_length)) is None:
        raise Invalid("Upload-Length must say how many bytes will come.", "Upload-Length")
    metadata = parse_metadata(upload_metadata)
    name, target = _target(metadata)
    begin_target = create_file_upload if name == "model_id" else begin_upload
    with session_scope() as session:
        row = begin_target(session, actor, target, metadata.get("filename", ""), length)
    return Response(status_code=201, headers=_headers(row) | {"Location": f"/api/v1/uploads/{row.id}"})


def _find(actor: Actor, upload_id: str) -> uploads.UploadRow:
    with session_scope() as session:
        row = uploads.find_upload(session, actor, upload_id)
        # After a crash between the last byte and this mark the upload would otherwise stay incomplete for ever.
        arrived = row.offset == row.length and not row.complete
        return uploads.complete_upload(session, actor, upload_id) if arrived else row


@router.head("/uploads/{upload_id}", responses=_WRONG_VERSION)
def ask_offset(actor: CurrentUser, upload_id: str, tus_resumable: Version = "") -> Progress:
    _check_version(tus_resumable)
    return Response(status_code=200, headers=_headers(_find(actor, upload_id)) | {"Cache-Control": "no-store"})


def _discard(actor: Actor, upload_id: str) -> None:
    with session_scope() as session:
        uploads.discard_upload(session, actor, upload_id)


@router.delete("/uploads/{upload_id}", status_code=204, responses=_WRONG_VERSION)
def cancel(
    actor: CurrentUser, upload_id: str, tus_resumable: Version = ""
) -> Annotated[Response, Media(headers=_RESUMABLE)]:
    _check_version(tus_resumable)
    _discard(actor, upload_id)
    return Response(status_code=204, headers=_TUS)


@router.patch(
    "/uploads/{upload_id}",
    status_code=204,
    operation_id="go_on_api_v1_uploads__upload_id__patch",
    summary="Go On",
    responses=refusals(412, 415, 423),
)
@streams_body("application/offset+octet-stream")
async def append(
    actor: CurrentUser,
    upload_id: str,
    request: Request,
    upload_offset: Annotated[str, Header()] = "",
    content_type: Annotated[str, Header(include_in_schema=False)] = "",
    content_length: Annotated[str, Header(include_in_schema=False)] = "",
    tus_resumable: Version = "",
) -> Progress:
    _check_version(tus_resumable)
    if content_type.partition(";")[0].strip() != "application/offset+octet-stream":
        raise _WrongType("Send the bytes as application/offset+octet-stream.")
    if (offset := parse_number(upload_offset)) is None:
        raise Invalid("Upload-Offset must say where these bytes begin.", "Upload-Offset")
    row = await run_for(actor.user_id, _find, actor, upload_id)
    if offset + (parse_number(content_length) or 0) > row.length:
        raise TooLarge(f"More bytes would come than the {row.length} that were announced. Start the upload again.")
    part = PartFile(upload_path(row.id), offset, row.length)
    close = dict[str, str]()
    try:
        with part:
            await write_body(request, part)
    except BodyTooSlow:
        close = {"Connection": "close"}
    except ClientDisconnect:
        pass  # the client resumes from what arrived
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            await run_in_threadpool(_discard, actor, upload_id)
        raise
    row = await run_in_threadpool(_find, actor, upload_id)
    return Response(status_code=204, headers=_headers(row) | close)
