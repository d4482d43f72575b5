"""The playground by REST: questions to a model about a clip or a dataset, and the clips that are uploaded for it."""

import errno
from functools import partial
from typing import Annotated, Any

from fastapi import Header, Query, Request
from fastapi.responses import FileResponse
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from orchestrator.api.answers.playground import InferAnswer
from orchestrator.api.authentication import InferenceUser
from orchestrator.api.checked_route import streams_body
from orchestrator.api.disconnect import while_connected
from orchestrator.api.documented_route import documented_router
from orchestrator.api.person_slots import run_for
from orchestrator.api.request_body import write_body
from orchestrator.api.rules import NO_FLAG, Flag, rule
from orchestrator.api.schema.markers import Media, Shape
from orchestrator.api.serialization import AnyFile, BodyId
from orchestrator.domain.errors import AppError, Invalid, TooLarge
from orchestrator.domain.numbers import parse_number
from orchestrator.domain.playground import DEFAULT_ANSWER_TOKENS, MAX_ANSWER_TOKENS, InferenceRequest
from orchestrator.domain.users import Actor, Milestone
from orchestrator.services.datasets.media.previews import COPIES, is_playable, make_preview
from orchestrator.services.db import session_scope
from orchestrator.services.milestones import reach
from orchestrator.services.playground import queue, scratch
from orchestrator.services.playground.questions import MAX_TEXT, check_request
from orchestrator.services.uploads.part_file import PartFile
from orchestrator.settings import get_settings

router = documented_router(tags=["playground"])
_PRIVATE = {"Cache-Control": "private, max-age=600"}


class InferBody(BaseModel):
    """A question to an adapter or a base: about a clip (of a dataset, uploaded or on the web), or a search."""

    model_id: BodyId | None = None
    adapter_id: BodyId | None = None
    clip_id: BodyId | None = None
    scratch_id: str = Field(default="", max_length=64)
    video_url: str = Field(default="", max_length=2_000)
    dataset_id: BodyId | None = None
    query: Annotated[str, rule(maxLength=MAX_TEXT)] = ""
    prompt: Annotated[str, rule(maxLength=MAX_TEXT)] = ""
    max_tokens: Annotated[int, NO_FLAG, rule(minimum=1, maximum=MAX_ANSWER_TOKENS)] = DEFAULT_ANSWER_TOKENS
    compare: Flag = True

    def inference_request(self) -> InferenceRequest:
        fields = self.model_dump(exclude={"video_url"})
        return InferenceRequest(**fields, url=self.video_url.strip())


class Refused(AppError):
    """A problem that the worker reported instead of an answer, with the status that it chose."""

    def __init__(self, record: dict[str, Any]) -> None:
        super().__init__(str(record["problem"]), str(record.get("field", "")))
        self.status = int(record.get("status", 422))


def check_allowed(actor: Actor, inference: InferenceRequest) -> None:
    """Refuses a question before it is sent to a worker."""
    with session_scope() as session:
        check_request(session, actor, inference)
        reach(session, actor, Milestone.PLAYGROUND)


@router.post("/infer")
async def infer(
    actor: InferenceUser, body: InferBody, request: Request
) -> Annotated[dict[str, Any], Shape(InferAnswer)]:
    """The answer of the adapter, and with `compare` also that of its base."""
    inference = body.inference_request()
    await run_for(actor.user_id, check_allowed, actor, inference)
    record = await while_connected(request, queue.answer(actor.user_id, inference))
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
@streams_body("video/mp4", "application/octet-stream")
async def drop(
    actor: InferenceUser,
    request: Request,
    name: Annotated[str, Query(max_length=300)] = "clip.mp4",
    content_length: Annotated[str, Header(include_in_schema=False)] = "",
) -> scratch.ScratchRow:
    """The body is the clip. It is checked, kept for an hour after its last use, and added to no dataset."""
    length = parse_number(content_length)
    scratch_id, path = await run_for(actor.user_id, scratch.create_scratch, actor, name, length)
    try:
        with PartFile(path, 0, get_settings().playground_clip_bytes) as part:
            await write_body(request, part)
        if length is not None and part.size != length:
            raise Invalid("The upload of the clip was interrupted. Drop it again.", "clip")
    except (AppError, OSError, ClientDisconnect) as error:
        await run_in_threadpool(scratch.discard_scratch, actor, scratch_id)
        if isinstance(error, TooLarge):
            limit = get_settings().playground_clip_bytes / 1e6
            raise TooLarge(f"A clip to try may have {limit:,.0f} MB. Cut it, or add it to a dataset.") from error
        if isinstance(error, OSError) and error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise Invalid("The clip could not be stored. Drop it again.", "clip") from error
        raise
    try:
        row = await scratch.PROBES.run(actor.user_id, partial(scratch.finish_scratch, actor, scratch_id, name))
    except AppError:
        await run_in_threadpool(scratch.discard_scratch, actor, scratch_id)
        raise
    return row


@router.get("/playground/clips/{scratch_id}")
def get_dropped(actor: InferenceUser, scratch_id: str) -> scratch.ScratchRow:
    return scratch.find_scratch(actor, scratch_id)


@router.delete("/playground/clips/{scratch_id}", status_code=204)
def discard(actor: InferenceUser, scratch_id: str) -> None:
    scratch.find_scratch(actor, scratch_id)
    scratch.discard_scratch(actor, scratch_id)


@router.get("/playground/clips/{scratch_id}/preview")
async def preview(actor: InferenceUser, scratch_id: str) -> AnyFile:
    """The clip in a format that browsers play."""
    row = await run_for(actor.user_id, scratch.find_scratch, actor, scratch_id)
    path = row.path
    if not is_playable(path, row.codec):
        path = await COPIES.run(actor.user_id, partial(make_preview, path, path.parent / "preview.mp4"))
    return FileResponse(path, headers=_PRIVATE)


@router.get("/playground/clips/{scratch_id}/thumbnail")
def thumbnail(actor: InferenceUser, scratch_id: str) -> Annotated[FileResponse, Media(("image/jpeg",), file=True)]:
    """Four frames side by side."""
    return FileResponse(scratch.scratch_file(actor, scratch_id, strip=True), media_type="image/jpeg", headers=_PRIVATE)
