"""`/v1/models` and `/v1/chat/completions`: a clip and a question in, a text out, in one piece or streamed."""

import json
import secrets
import time
from collections.abc import AsyncGenerator
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.responses import JSONResponse
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool

from orchestrator.api.authentication import InferenceUser
from orchestrator.api.checked_route import checked_router, read_json, streams_body
from orchestrator.api.disconnect import EventStream, while_connected
from orchestrator.api.openai.errors import of_app_error
from orchestrator.api.openai.messages import BODY_BYTES, ChatBody, find_clip, question_of, texts, too_large
from orchestrator.api.routes.playground import Refused, check_allowed
from orchestrator.domain.errors import AppError, Invalid
from orchestrator.domain.playground import DEFAULT_ANSWER_TOKENS, MAX_ANSWER_TOKENS, InferenceRequest
from orchestrator.domain.users import Actor
from orchestrator.services.db import session_scope
from orchestrator.services.playground import queue
from orchestrator.services.playground.openai_names import NamedModel, find_named_model, list_named_models

router = checked_router()


async def read_body(_actor: InferenceUser, request: Request) -> ChatBody:
    """Reads and validates the body, up to `BODY_BYTES`; requires a login before anything is read."""
    raw = bytearray()
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > BODY_BYTES:
            raise too_large()
    try:
        return ChatBody.model_validate(read_json(bytes(raw)))
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
@streams_body
async def complete(
    actor: InferenceUser, body: Annotated[ChatBody, Depends(read_body)], request: Request
) -> JSONResponse | EventStream:
    inference = await run_in_threadpool(_inference_request, actor, body, request.headers.get("host", ""))
    head = {"id": f"chatcmpl-{secrets.token_hex(12)}", "created": int(time.time()), "model": body.model}
    if body.stream:
        records = queue.ask(actor.user_id, inference)
        # A problem that comes first gets its own HTTP status; later ones can only be events in the stream.
        first = await while_connected(request, _next(records))
        if "problem" in first:
            await records.aclose()
            raise Refused(first)
        return EventStream(_stream(head, first, records), records)
    record = await while_connected(request, queue.answer(actor.user_id, inference))
    if "done" not in record:
        raise Refused(record)
    text = record["done"]["answers"][0]["text"]
    message = {"role": "assistant", "content": text, "refusal": None}
    choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
    return JSONResponse(head | {"object": "chat.completion", "choices": [choice], "usage": _usage(body, text)})


async def _next(records: AsyncGenerator[dict[str, Any]]) -> dict[str, Any]:
    return await anext(records)


def _inference_request(actor: Actor, body: ChatBody, host: str) -> InferenceRequest:
    """The question of a chat, checked for permission."""
    if body.n not in (None, 1):
        raise Invalid("There is one answer to a question: leave n out, or send 1.", "n")
    with session_scope() as session:
        named = find_named_model(session, actor, body.model)
    prompt, url = question_of(body.messages)
    clip = find_clip(actor, url, host)
    # Many clients ask for thousands of tokens. It is an upper limit, so that the smaller one meets the request too.
    max_tokens = min(body.max_completion_tokens or body.max_tokens or DEFAULT_ANSWER_TOKENS, MAX_ANSWER_TOKENS)
    inference = InferenceRequest(
        model_id=named.model_id,
        adapter_id=named.adapter_id,
        clip_id=clip.clip_id,
        scratch_id=clip.scratch_id,
        url=clip.url,
        prompt=prompt,
        max_tokens=max_tokens,
        compare=False,
        stream=body.stream,
    )
    check_allowed(actor, inference)
    return inference


def _usage(body: ChatBody, answer: str) -> dict[str, int]:
    """Token counts as numbers of words; tokens differ from family to family."""
    prompt = sum(len(text.split()) for message in body.messages for text in texts(message))
    completion = len(answer.split())
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


async def _stream(
    head: dict[str, Any], first: dict[str, Any], rest: AsyncGenerator[dict[str, Any]]
) -> AsyncGenerator[str]:
    """Server-sent events as OpenAI sends them, `[DONE]` last; a problem in between is an event with `error`."""
    yield _chunk(head, {"role": "assistant", "content": ""})
    sent, record = "", first
    try:
        while True:
            if "stage" in record:
                yield f": {record['stage']}\n\n"  # a comment, which keeps the connection open while a model is loaded
            elif "text" in record:
                sent += record["text"]
                yield _chunk(head, {"content": record["text"]})
            elif "problem" in record:
                raise Refused(record)
            elif "done" in record:
                text = record["done"]["answers"][0]["text"]
                if not sent and text:
                    yield _chunk(head, {"content": text})
                break
            record = await anext(rest)
        yield _chunk(head, {}, "stop")
        yield "data: [DONE]\n\n"
    except AppError as error:
        yield f"data: {json.dumps(of_app_error(error)[1])}\n\n"


def _chunk(head: dict[str, Any], delta: dict[str, Any], finish_reason: str | None = None) -> str:
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason, "logprobs": None}
    return f"data: {json.dumps(head | {'object': 'chat.completion.chunk', 'choices': [choice]})}\n\n"
