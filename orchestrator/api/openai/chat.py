"""`/v1/models` and `/v1/chat/completions`: a clip and a question in, a text out, in one piece or streamed."""

import json
import secrets
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.responses import JSONResponse
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool

from orchestrator.api.authentication import InferenceUser, inference_user
from orchestrator.api.checked_route import checked_router, read_json, streams_body
from orchestrator.api.disconnect import EventStream, while_connected
from orchestrator.api.event_streams import Validity
from orchestrator.api.openai.clips import BODY_BYTES, find_clip, too_large
from orchestrator.api.openai.errors import of_app_error
from orchestrator.api.openai.messages import Chat, read_chat
from orchestrator.api.openai.parameters import ChatBody
from orchestrator.api.person_slots import run_for
from orchestrator.api.routes.playground import Refused, check_allowed
from orchestrator.domain.errors import AppError, Invalid, NotSignedIn
from orchestrator.domain.playground import InferenceRequest
from orchestrator.domain.users import Actor
from orchestrator.services.db import session_scope
from orchestrator.services.playground import queue, scratch
from orchestrator.services.playground.openai_names import NamedModel, find_named_model, list_named_models
from orchestrator.services.shielded import run_shielded

router = checked_router()


async def read_body(actor: InferenceUser, request: Request) -> ChatBody:
    """Reads and validates the body, up to `BODY_BYTES`; requires a login before anything is read."""
    raw = bytearray()
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > BODY_BYTES:
            raise too_large()
    return await run_for(actor.user_id, _validate, bytes(raw))


def _validate(raw: bytes) -> ChatBody:
    try:
        return ChatBody.model_validate(read_json(raw))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise Invalid(f"{where or 'The body'}: {first['msg']}.", where) from error


def _model(named: NamedModel) -> dict[str, Any]:
    created = int(named.created_at.timestamp())
    return {"id": named.id, "object": "model", "created": created, "owned_by": "loreel", "name": named.names[0]}


@router.get("/models")
def list_models(actor: InferenceUser) -> dict[str, Any]:
    with session_scope() as session:
        return {"object": "list", "data": [_model(named) for named in list_named_models(session, actor)]}


@router.get("/models/{name:path}")
def get_model(actor: InferenceUser, name: str) -> dict[str, Any]:
    with session_scope() as session:
        return _model(find_named_model(session, actor, name))


@router.post("/chat/completions", response_model=None)
@streams_body()
async def complete(
    actor: InferenceUser, body: Annotated[ChatBody, Depends(read_body)], request: Request
) -> JSONResponse | EventStream:
    asked = await run_for(actor.user_id, _check, actor, body, request.headers.get("host", ""))
    head = {"id": f"chatcmpl-{secrets.token_hex(12)}", "created": int(time.time()), "model": body.model}
    if asked.warnings:
        head["warnings"] = list(asked.warnings)
    records = _records(actor, asked.request)
    if body.stream:
        # A problem that comes first gets its own HTTP status; later ones can only be events in the stream.
        first = await while_connected(request, _next(records))
        if "problem" in first:
            await records.aclose()
            raise Refused(first)
        validity = Validity(request, inference_user)
        return EventStream(_stream(head, first, records, validity, body.includes_usage()), records)
    record = await while_connected(request, _last(records))
    if "done" not in record:
        raise Refused(record)
    answer = record["done"]["answers"][0]
    message = {"role": "assistant", "content": answer["text"], "refusal": None}
    choice = {"index": 0, "message": message, "finish_reason": answer["finish_reason"], "logprobs": None}
    return JSONResponse(head | {"object": "chat.completion", "choices": [choice], "usage": _usage(answer)})


@dataclass(frozen=True, slots=True)
class _Asked:
    request: InferenceRequest
    warnings: tuple[str, ...]


def _check(actor: Actor, body: ChatBody, host: str) -> _Asked:
    """The question of a chat, checked for permission."""
    chat = read_chat(body.messages)
    with session_scope() as session:
        named = find_named_model(session, actor, body.model)
    clip = find_clip(actor, chat.clip, host)
    inference = InferenceRequest(
        model_id=named.model_id,
        adapter_id=named.adapter_id,
        clip_id=clip.clip_id,
        scratch_id=clip.scratch_id,
        url=clip.url,
        prompt=chat.question,
        system=chat.system,
        earlier=chat.earlier,
        max_tokens=body.answer_tokens(),
        stop=body.stop_sequences(),
        temperature=body.sampling_temperature(),
        top_p=1.0 if body.top_p is None else body.top_p,
        seed=body.seed,
        compare=False,
        stream=bool(body.stream),
    )
    try:
        check_allowed(actor, inference)
    except BaseException:
        _discard(actor, inference)
        raise
    return _Asked(inference, (*chat.warnings, *_unread(named, chat)))


def _unread(named: NamedModel, chat: Chat) -> list[str]:
    """What this model does not read of the chat."""
    if not named.default_question:
        texts = [chat.question, chat.system, *(turn.text for turn in chat.earlier)]
        return (
            ["This base describes clips and reads no text: the texts of the chat are not used."] if any(texts) else []
        )
    if not chat.question:
        return [f'The last message has no text: the model is asked "{named.default_question}"']
    return []


async def _records(actor: Actor, inference: InferenceRequest) -> AsyncGenerator[dict[str, Any]]:
    """The records of the answer; a clip inside the question is deleted at its end."""
    try:
        async with aclosing(queue.ask(actor.user_id, inference)) as records:
            async for record in records:
                yield record
    finally:
        if inference.scratch_id:
            await run_shielded(run_in_threadpool(_discard, actor, inference))


def _discard(actor: Actor, inference: InferenceRequest) -> None:
    if inference.scratch_id:
        scratch.discard_scratch(actor, inference.scratch_id)


async def _next(records: AsyncGenerator[dict[str, Any]]) -> dict[str, Any]:
    return await anext(records)


async def _last(records: AsyncGenerator[dict[str, Any]]) -> dict[str, Any]:
    last: dict[str, Any] = {}
    async with aclosing(records):
        async for record in records:
            last = record
    return last


def _usage(answer: dict[str, Any]) -> dict[str, int]:
    """Counts of tokens as the base's own tokenizer and encoder make them; the clip's are among the prompt's."""
    prompt, completion = answer["prompt_tokens"], answer["completion_tokens"]
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


async def _stream(
    head: dict[str, Any],
    first: dict[str, Any],
    rest: AsyncGenerator[dict[str, Any]],
    validity: Validity,
    with_usage: bool,
) -> AsyncGenerator[str]:
    """Server-sent events as OpenAI sends them, `[DONE]` last; a problem in between is an event with `error`."""
    # With usage each event has the key, null until the last one.
    head = head | {"object": "chat.completion.chunk"} | ({"usage": None} if with_usage else {})
    yield _event(head, {"role": "assistant", "content": ""})
    sent, record = "", first
    try:
        while "done" not in record:
            if "stage" in record:
                yield f": {record['stage']}\n\n"  # a comment, which keeps the connection open while a model is loaded
            elif "text" in record:
                sent += record["text"]
                yield _event(head, {"content": record["text"]})
            elif "problem" in record:
                raise Refused(record)
            if not await validity.holds():
                raise NotSignedIn("This token or session has ended, and the answer with it.")
            record = await anext(rest)
        answer = record["done"]["answers"][0]
        if not sent and answer["text"]:
            yield _event(head, {"content": answer["text"]})
        yield _event(head, {}, answer["finish_reason"])
        if with_usage:
            yield f"data: {json.dumps(head | {'choices': [], 'usage': _usage(answer)})}\n\n"
        yield "data: [DONE]\n\n"
    except AppError as error:
        yield f"data: {json.dumps(of_app_error(error)[1])}\n\n"


def _event(head: dict[str, Any], delta: dict[str, Any], finish_reason: str | None = None) -> str:
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason, "logprobs": None}
    return f"data: {json.dumps(head | {'choices': [choice]})}\n\n"
