"""Sends a question to the worker that answers it and yields the answer as it arrives, without blocking a thread."""

import asyncio
import json
import secrets
from collections.abc import AsyncGenerator
from typing import Any

import redis
import structlog

from orchestrator.domain.errors import TooMany, Unavailable
from orchestrator.domain.playground import InferenceMessage, InferenceRequest
from orchestrator.domain.redis_keys import (
    PLAYGROUND_CHANNEL,
    PLAYGROUND_KEEP_ALIVE,
    PLAYGROUND_OWNER,
    PLAYGROUND_QUEUE,
    playground_answer,
    playground_open,
    playground_waiter,
)
from orchestrator.services.playground.open_questions import EXPIRY_S, open_question, renew_question
from orchestrator.services.redis import connect_async
from orchestrator.services.shielded import run_shielded
from orchestrator.settings import get_settings

log = structlog.get_logger(__name__)
MAX_WAITING = 64
_POLL_S = 3
_SEND_S = 1.2
_CLOSE_S = 0.5
"""Limits of what a request does in Redis before and after its answer: one that is frozen is refused within 2 s."""
_NO_WORKER = "No worker is running to answer. Start one with `./loreel worker`, then ask again."
_TIMED_OUT = (
    "No answer came within {seconds:.0f} seconds. The worker may be loading a large model or be busy; ask again later."
)
_NO_REDIS = "The queue does not answer now. Try again in a moment."


async def ask(user_id: int, request: InferenceRequest) -> AsyncGenerator[dict[str, Any]]:
    """Sends a request that was checked and yields the records of its answer; the last one has `done` or `problem`.

    Raises:
        Unavailable: there is no worker, or it stopped answering. TooMany: the user has too many open questions.
    """
    message = InferenceMessage(secrets.token_urlsafe(12), user_id, request)
    client = connect_async(retries=1, socket_timeout=_POLL_S + 5)
    try:
        async with asyncio.timeout(_SEND_S):
            await _send(client, message)
        async for record in _answer_records(client, message):
            yield record
    except (redis.RedisError, OSError) as error:
        log.warning("playground.no_redis", error=str(error))
        raise Unavailable(_NO_REDIS) from error
    finally:
        await run_shielded(_close(client, message))


async def answer(user_id: int, request: InferenceRequest) -> dict[str, Any]:
    """Sends a request and waits for the last record of its answer."""
    last: dict[str, Any] = {}
    async for record in ask(user_id, request):
        last = record
    return last


async def keep_answering_ready() -> bool:
    """Has a worker start its answering process, because a user opened the playground. Never raises.

    Returns:
        False when no worker answers questions.
    """
    client = connect_async(retries=0)
    try:
        async with asyncio.timeout(_SEND_S):
            await client.set(PLAYGROUND_KEEP_ALIVE, "1", ex=int(get_settings().playground_idle_s))
            await client.publish(PLAYGROUND_CHANNEL, "1")
            return bool(await client.exists(PLAYGROUND_OWNER))
    except (redis.RedisError, OSError) as error:
        log.info("playground.not_prepared", error=str(error))
        return False
    finally:
        await client.aclose()


async def _send(client: Any, message: InferenceMessage) -> None:
    if not await client.exists(PLAYGROUND_OWNER):
        raise Unavailable(_NO_WORKER)
    if await client.llen(PLAYGROUND_QUEUE) >= MAX_WAITING:
        raise TooMany("Many questions are waiting already. Ask again in a moment.", 10)
    await open_question(client, message.user_id, message.id)
    await client.set(playground_waiter(message.id), "1", ex=EXPIRY_S)
    await client.set(PLAYGROUND_KEEP_ALIVE, "1", ex=int(get_settings().playground_idle_s))
    await client.rpush(PLAYGROUND_QUEUE, message.pack())
    await client.publish(PLAYGROUND_CHANNEL, "1")


async def _answer_records(client: Any, message: InferenceMessage) -> AsyncGenerator[dict[str, Any]]:
    patience, silent = get_settings().playground_patience_s, 0.0
    while silent < patience:
        await client.set(playground_waiter(message.id), "1", ex=EXPIRY_S)
        await renew_question(client, message.user_id, message.id)
        item = await client.blpop([playground_answer(message.id)], timeout=_POLL_S)
        if item is None:
            silent += _POLL_S
            if not await client.exists(PLAYGROUND_OWNER):
                raise Unavailable(_NO_WORKER)
            continue
        silent = 0.0
        record = json.loads(item[1])
        yield record
        if "done" in record or "problem" in record:
            return
    raise Unavailable(_TIMED_OUT.format(seconds=patience))


async def _close(client: Any, message: InferenceMessage) -> None:
    """Gives back what a question holds in Redis, also where it was refused, answered in part or never taken."""
    try:
        async with asyncio.timeout(_CLOSE_S), client.pipeline(transaction=False) as pipe:
            pipe.zrem(playground_open(message.user_id), message.id)
            pipe.delete(playground_waiter(message.id), playground_answer(message.id))
            pipe.lrem(PLAYGROUND_QUEUE, 1, message.pack())
            await pipe.execute()
    except (redis.RedisError, OSError) as error:
        log.warning("playground.not_closed", error=str(error))  # it expires by itself
    finally:
        await client.aclose()
