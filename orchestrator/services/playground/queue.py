"""Sends a question to the process that answers, and hears what it says, without holding a thread meanwhile."""

import json
import secrets
from collections.abc import AsyncGenerator
from typing import Any

import redis
import structlog

from orchestrator.domain.errors import TooMany, Unavailable
from orchestrator.domain.playground import Letter, Wish
from orchestrator.domain.redis_keys import (
    PLAYGROUND_CHANNEL,
    PLAYGROUND_KEEP_ALIVE,
    PLAYGROUND_OWNER,
    PLAYGROUND_QUEUE,
    playground_answer,
    playground_open,
    playground_waiter,
)
from orchestrator.services.redis import connect_async
from orchestrator.settings import get_settings

log = structlog.get_logger(__name__)
MOST_OPEN = 8
"""Questions of one person at a time."""
MOST_WAITING = 64
_LOOK_S = 3
_WAITS_S = 15
_NOBODY = "No worker is there to answer. Start one with `./loreel worker`, then ask again."
_SILENT = (
    "No answer came within {seconds:.0f} seconds. The worker may be loading a large model or be busy; ask again later."
)
_LOST = "The queue does not answer now. Try again in a moment."


async def ask(user_id: int, wish: Wish) -> AsyncGenerator[dict[str, Any]]:
    """Sends a wish that was checked and yields each record of the answer; the last one has `done` or `problem`.

    Raises:
        Unavailable: no worker, or it fell silent. TooMany: the person has too many open questions.
    """
    letter = Letter(secrets.token_urlsafe(12), user_id, wish)
    client = connect_async(retries=1)
    try:
        await _post(client, letter)
        try:
            async for record in _hear(client, letter):
                yield record
        finally:
            await client.delete(playground_waiter(letter.id), playground_answer(letter.id))
            await client.decr(playground_open(user_id))
    except (redis.RedisError, OSError) as error:
        log.warning("playground.no_redis", error=str(error))
        raise Unavailable(_LOST) from error
    finally:
        await client.aclose()


async def answer(user_id: int, wish: Wish) -> dict[str, Any]:
    """The last record alone."""
    last: dict[str, Any] = {}
    async for record in ask(user_id, wish):
        last = record
    return last


async def expect_questions() -> bool:
    """Somebody opened the playground: the answering process is made ready. False: no worker keeps one. Never raises."""
    client = connect_async(retries=0)
    try:
        await client.set(PLAYGROUND_KEEP_ALIVE, "1", ex=int(get_settings().playground_idle_s))
        await client.publish(PLAYGROUND_CHANNEL, "1")
        return bool(await client.exists(PLAYGROUND_OWNER))
    except (redis.RedisError, OSError) as error:
        log.info("playground.not_expected", error=str(error))
        return False
    finally:
        await client.aclose()


async def _post(client: Any, letter: Letter) -> None:
    if not await client.exists(PLAYGROUND_OWNER):
        raise Unavailable(_NOBODY)
    if await client.llen(PLAYGROUND_QUEUE) >= MOST_WAITING:
        raise TooMany("Many questions wait already. Ask again in a moment.", 10)
    count = playground_open(letter.user_id)
    opened = await client.incr(count)
    # A web process that is killed cannot count down: the count forgets by itself.
    await client.expire(count, int(get_settings().playground_patience_s) + 60)
    if opened > MOST_OPEN:
        await client.decr(count)
        raise TooMany(f"You have {MOST_OPEN} open questions. Wait for an answer, then ask the next one.", 5)
    await client.set(playground_waiter(letter.id), "1", ex=_WAITS_S)
    await client.set(PLAYGROUND_KEEP_ALIVE, "1", ex=int(get_settings().playground_idle_s))
    await client.rpush(PLAYGROUND_QUEUE, letter.pack())
    await client.publish(PLAYGROUND_CHANNEL, "1")


async def _hear(client: Any, letter: Letter) -> AsyncGenerator[dict[str, Any]]:
    patience, silent = get_settings().playground_patience_s, 0.0
    while silent < patience:
        await client.set(playground_waiter(letter.id), "1", ex=_WAITS_S)
        found = await client.blpop([playground_answer(letter.id)], timeout=_LOOK_S)
        if found is None:
            silent += _LOOK_S
            if not await client.exists(PLAYGROUND_OWNER):
                raise Unavailable(_NOBODY)
            continue
        silent = 0.0
        record = json.loads(found[1])
        yield record
        if "done" in record or "problem" in record:
            return
    raise Unavailable(_SILENT.format(seconds=patience))
