"""Cancels the work for a client when the client disconnects, because nothing would read its result."""

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from typing import Any, TypeVar

from fastapi import Request
from starlette.requests import ClientDisconnect
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from orchestrator.services.shielded import run_shielded

T = TypeVar("T")
CANCEL_AGAIN_S = 1.0


class BodyTooSlow(ClientDisconnect):
    """A streamed body hardly arrives: what was received is kept, as when the connection is lost."""


async def while_connected(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """The result of `work`, which is cancelled when the client disconnects. Call it after the body was read.

    Raises:
        ClientDisconnect: the client has disconnected.
    """
    task, hangup = asyncio.create_task(work), asyncio.create_task(_disconnected(request))
    try:
        await asyncio.wait((task, hangup), return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
        raise ClientDisconnect
    finally:
        await _end(task, hangup)


async def _end(*tasks: asyncio.Task[Any]) -> None:
    """Cancels the tasks, and again while one goes on: a library may lose a cancellation that comes between two waits.

    What a task does before it ends is shielded, so that a second cancellation does not reach it.
    """
    waiting = {task for task in tasks if not task.done()}
    while waiting:
        for task in waiting:
            task.cancel()
        _, waiting = await asyncio.wait(waiting, timeout=CANCEL_AGAIN_S)
    await asyncio.gather(*tasks, return_exceptions=True)


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


class EventStream(StreamingResponse):
    """Server-sent events that close their generators however the response ends.

    Starlette leaves that to the garbage collector where the response was cancelled while it sent something, or before
    it began.
    """

    def __init__(self, events: AsyncGenerator[str], *sources: AsyncGenerator[Any]) -> None:
        """`sources`: what `events` reads from; closed after it."""
        super().__init__(events, media_type="text/event-stream")
        self._generators = (events, *sources)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            await run_shielded(self._close())

    async def _close(self) -> None:
        for generator in self._generators:
            await generator.aclose()
