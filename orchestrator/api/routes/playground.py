"""Asking a model by REST: a clip or a search, with and without an adapter; and the clips that are dropped for it."""

import errno
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import FileResponse
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from orchestrator.api.receiving import receive
from orchestrator.api.shapes import BodyId, shape
from orchestrator.api.who import Who
from orchestrator.domain.errors import AppError, Invalid, TooLarge
from orchestrator.domain.playground import USUAL_LENGTH, Wish
from orchestrator.domain.users import Actor
from orchestrator.services.datasets.media.previews import make_preview, plays
from orchestrator.services.db import session_scope
from orchestrator.services.playground import queue as box
from orchestrator.services.playground import scratch
from orchestrator.services.playground.questions import check_wish
from orchestrator.services.uploads.part_file import PartFile
from orchestrator.settings import get_settings

router = APIRouter(tags=["playground"])
_PRIVATE = {"Cache-Control": "private, max-age=600"}


class InferBody(BaseModel):
    """A question: an adapter or a base, and a clip (of a dataset, dropped, or on the web), or a dataset to search."""

    model_id: BodyId | None = None
    adapter_id: BodyId | None = None
    clip_id: BodyId | None = None
    scratch_id: str = Field(default="", max_length=64)
    video_url: str = Field(default="", max_length=2_000)
    dataset_id: BodyId | None = None
    query: str = ""
    prompt: str = ""
    max_tokens: int = USUAL_LENGTH
    compare: bool = True

    def wish(self) -> Wish:
        given = self.model_dump(exclude={"video_url", "max_tokens"})
        return Wish(**given, url=self.video_url.strip(), longest=self.max_tokens)


class Refused(AppError):
    """What the worker said instead of an answer, with the status it chose."""

    def __init__(self, record: dict[str, Any]) -> None:
        super().__init__(str(record["problem"]), str(record.get("field", "")))
        self.status = int(record.get("status", 422))


def allow(actor: Actor, wish: Wish) -> None:
    """Refuses before anything is sent."""
    with session_scope() as session:
        check_wish(session, actor, wish)


@router.post("/infer")
async def infer(actor: Who, body: InferBody) -> dict[str, Any]:
    """What the adapter says, and the base beside it."""
    wish = body.wish()
    await run_in_threadpool(allow, actor, wish)
    record = await box.answer(actor.user_id, wish)
    if "done" not in record:
        raise Refused(record)
    return _with_string_ids(record["done"])


def _with_string_ids(value: Any, name: str = "") -> Any:
    if isinstance(value, dict):
        return {key: _with_string_ids(inner, key) for key, inner in value.items()}
    if isinstance(value, list):
        return [_with_string_ids(inner) for inner in value]
    return str(value) if isinstance(value, int) and (name == "id" or name.endswith("_id")) else value


@router.post("/playground/clips", status_code=201)
async def drop(
    actor: Who,
    request: Request,
    name: Annotated[str, Query(max_length=300)] = "clip.mp4",
    content_length: Annotated[str, Header()] = "",
) -> dict[str, Any]:
    """The body is the clip. It is looked over, kept for an hour after its last use, and joins no dataset."""
    length = int(content_length) if content_length.isdigit() and len(content_length) < 18 else None
    scratch_id, path = await run_in_threadpool(scratch.begin_scratch, actor, name, length)
    try:
        with PartFile(path, 0, get_settings().playground_clip_bytes) as part:
            await receive(request, part)
        if length is not None and part.size != length:
            raise Invalid("The clip broke off on its way. Drop it again.", "clip")
    except (AppError, OSError, ClientDisconnect) as error:
        await run_in_threadpool(scratch.discard_scratch, actor, scratch_id)
        if isinstance(error, TooLarge):
            limit = get_settings().playground_clip_bytes / 1e6
            raise TooLarge(f"A clip to try may have {limit:,.0f} MB. Cut it, or add it to a dataset.") from error
        if isinstance(error, OSError) and error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise Invalid("The clip could not be stored. Drop it again.", "clip") from error
        raise
    row = await run_in_threadpool(scratch.finish_scratch, actor, scratch_id, name)
    return _shape(row)


def _shape(row: scratch.ScratchRow) -> dict[str, Any]:
    told = shape(row)
    del told["path"]
    return told


@router.get("/playground/clips/{scratch_id}")
def get_dropped(actor: Who, scratch_id: str) -> dict[str, Any]:
    return _shape(scratch.find_scratch(actor, scratch_id))


@router.delete("/playground/clips/{scratch_id}", status_code=204)
def discard(actor: Who, scratch_id: str) -> None:
    scratch.find_scratch(actor, scratch_id)
    scratch.discard_scratch(actor, scratch_id)


@router.get("/playground/clips/{scratch_id}/preview")
def preview(actor: Who, scratch_id: str) -> FileResponse:
    """The clip as browsers play it."""
    row = scratch.find_scratch(actor, scratch_id)
    path = row.path
    if not plays(path, row.codec):
        path = make_preview(path, path.parent / "preview.mp4")
    return FileResponse(path, headers=_PRIVATE)


@router.get("/playground/clips/{scratch_id}/thumbnail")
def thumbnail(actor: Who, scratch_id: str) -> FileResponse:
    """Four frames side by side."""
    return FileResponse(scratch.scratch_file(actor, scratch_id, strip=True), media_type="image/jpeg", headers=_PRIVATE)
