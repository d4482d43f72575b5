"""`/v1/models` and `/v1/chat/completions`: a clip and a question in, a sentence out, whole or piece by piece."""

import json
import secrets
import time
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool

from orchestrator.api.openai.errors import of_app_error
from orchestrator.api.openai.messages import BODY_BYTES, ChatBody, find_shot, question_of, texts, too_large
from orchestrator.api.routes.playground import Refused, allow
from orchestrator.api.who import Who
from orchestrator.domain.errors import AppError, Invalid
from orchestrator.domain.playground import LONGEST, USUAL_LENGTH, Wish
from orchestrator.domain.users import Actor
from orchestrator.services.db import session_scope
from orchestrator.services.playground import queue as box
from orchestrator.services.playground.openai_names import Named, find_named, list_named

router = APIRouter()


async def read_body(_actor: Who, request: Request) -> ChatBody:
    """The body, up to a size; only of somebody who is signed in."""
    raw = bytearray()
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > BODY_BYTES:
            raise too_large(len(raw))
    try:
        return ChatBody.model_validate_json(bytes(raw))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise Invalid(f"{where or 'The body'}: {first['msg']}.", where) from error


def _model(named: Named) -> dict[str, Any]:
    made = int(named.created_at.timestamp())
    return {"id": named.id, "object": "model", "created": made, "owned_by": "loreel", "name": named.names[0]}


@router.get("/models")
def list_models(actor: Who) -> dict[str, Any]:
    with session_scope() as session:
        return {"object": "list", "data": [_model(named) for named in list_named(session, actor)]}


@router.get("/models/{name:path}")
def get_model(actor: Who, name: str) -> dict[str, Any]:
    with session_scope() as session:
        return _model(find_named(session, actor, name))


@router.post("/chat/completions", response_model=None)
async def complete(
    actor: Who, body: Annotated[ChatBody, Depends(read_body)], request: Request
) -> JSONResponse | StreamingResponse:
    wish = await run_in_threadpool(_wish, actor, body, request.headers.get("host", ""))
    head = {"id": f"chatcmpl-{secrets.token_hex(12)}", "created": int(time.time()), "model": body.model}
    if body.stream:
        records = box.ask(actor.user_id, wish)
        # What can be refused at once is refused with a status, not inside a stream that began well.
        first = await anext(records)
        if "problem" in first:
            raise Refused(first)
        return StreamingResponse(_stream(head, first, records), media_type="text/event-stream")
    record = await box.answer(actor.user_id, wish)
    if "done" not in record:
        raise Refused(record)
    said = record["done"]["answers"][0]["text"]
    message = {"role": "assistant", "content": said, "refusal": None}
    choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
    return JSONResponse(head | {"object": "chat.completion", "choices": [choice], "usage": _usage(body, said)})


def _wish(actor: Actor, body: ChatBody, host: str) -> Wish:
    """Reads the chat and refuses what the actor may not ask."""
    if body.n not in (None, 1):
        raise Invalid("One answer is given to a question: leave n out, or send 1.", "n")
    with session_scope() as session:
        named = find_named(session, actor, body.model)
    prompt, url = question_of(body.messages)
    shot = find_shot(actor, url, host)
    # Clients ask for thousands by habit; it is an upper limit, so the smaller of both keeps what they asked for.
    longest = min(body.max_completion_tokens or body.max_tokens or USUAL_LENGTH, LONGEST)
    wish = Wish(
        model_id=named.model_id,
        adapter_id=named.adapter_id,
        clip_id=shot.clip_id,
        scratch_id=shot.scratch_id,
        url=shot.url,
        prompt=prompt,
        longest=longest,
        compare=False,
        stream=body.stream,
    )
    allow(actor, wish)
    return wish


def _usage(body: ChatBody, said: str) -> dict[str, int]:
    """Words stand for tokens: every family counts its own."""
    asked = sum(len(text.split()) for message in body.messages for text in texts(message))
    told = len(said.split())
    return {"prompt_tokens": asked, "completion_tokens": told, "total_tokens": asked + told}


async def _stream(
    head: dict[str, Any], first: dict[str, Any], rest: AsyncGenerator[dict[str, Any]]
) -> AsyncIterator[str]:
    """Server-sent events as OpenAI sends them, `[DONE]` last; a refusal on the way is an event with `error`."""
    yield _chunk(head, {"role": "assistant", "content": ""})
    heard, record = "", first
    try:
        while True:
            if "stage" in record:
                yield f": {record['stage']}\n\n"  # a comment: keeps the line open while a model is loaded
            elif "text" in record:
                heard += record["text"]
                yield _chunk(head, {"content": record["text"]})
            elif "problem" in record:
                raise Refused(record)
            elif "done" in record:
                whole = record["done"]["answers"][0]["text"]
                if not heard and whole:
                    yield _chunk(head, {"content": whole})
                break
            record = await anext(rest)
        yield _chunk(head, {}, "stop")
        yield "data: [DONE]\n\n"
    except AppError as error:
        yield f"data: {json.dumps(of_app_error(error)[1])}\n\n"
    finally:
        await rest.aclose()


def _chunk(head: dict[str, Any], delta: dict[str, Any], why: str | None = None) -> str:
    choice = {"index": 0, "delta": delta, "finish_reason": why, "logprobs": None}
    return f"data: {json.dumps(head | {'object': 'chat.completion.chunk', 'choices': [choice]})}\n\n"
