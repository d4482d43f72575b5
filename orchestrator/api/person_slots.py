"""The slots of a request: by person, with fewer for what is expensive."""

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from hashlib import sha256
from typing import ParamSpec, TypeVar

from fastapi import Request, Response
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool
from starlette.types import Receive, Scope, Send

from orchestrator.services.auth.sessions import COOKIE_NAME
from orchestrator.services.person_slots import person_slot

P = ParamSpec("P")
T = TypeVar("T")
EXPENSIVE_AT_ONCE = 2
EXPENSIVE_WAITING = 8


_MOST_KNOWN = 20_000
_known: dict[str, int] = {}
"""Accounts by the digest of a cookie or an authorization header that opened them before."""


def key_of(request: Request) -> str:
    """Tells people apart before their request is worked on: by the account that its cookie or token opened before, else
    by address, so that neither many tokens nor invented ones give anyone more slots."""
    user_id = _known.get(_digest(_shown(request)))
    return f"user {user_id}" if user_id else f"address {request.client.host if request.client else ''}"


async def run_for(user_id: int, work: Callable[P, T], *args: P.args, **named: P.kwargs) -> T:
    """Runs a short part of an asynchronous route in a thread, in one of the person's slots.

    Raises:
        TooMany: too much of this person waits already.
    """
    async with person_slot(f"user {user_id}"):
        return await run_in_threadpool(work, *args, **named)


def remember_person(request: Request, user_id: int, cookie: str = "") -> None:
    """The cookie or token of this request opens this account.

    Args:
        cookie: the new session's token, when the request was a login.
    """
    if len(_known) >= _MOST_KNOWN:
        _known.clear()
    _known[_digest(cookie or _shown(request))] = user_id


def _shown(request: Request) -> str:
    return request.headers.get("authorization") or request.cookies.get(COOKIE_NAME, "")


def _digest(text: str) -> str:
    return sha256(text.encode(errors="replace")).hexdigest()


async def answer_expensive(request: Request, kind: str, work: Callable[[], Awaitable[Response]]) -> Response:
    """The response of an expensive read; one that is made while it is sent holds its slot until the last byte.

    Args:
        kind: has slots of its own, so that a long export holds up no report.

    Raises:
        TooMany: the person waits for too many of them already.
    """
    key = key_of(request)
    async with AsyncExitStack() as stack:
        slot = person_slot(f"{kind} {key}", EXPENSIVE_AT_ONCE, EXPENSIVE_WAITING)
        await stack.enter_async_context(slot)
        async with person_slot(key):
            response = await work()
        if not isinstance(response, StreamingResponse):
            return response
        return _ResponseWithSlot(response, stack.pop_all())
    raise AssertionError("not reached")


class _ResponseWithSlot(Response):
    """Another response, after which a slot is left."""

    def __init__(self, response: Response, stack: AsyncExitStack) -> None:
        self._response, self._stack = response, stack
        self.status_code, self.background = response.status_code, None
        self.raw_headers = response.raw_headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self._stack:
            await self._response(scope, receive, send)
