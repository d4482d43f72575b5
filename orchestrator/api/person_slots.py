"""The slots of a request: by person, with fewer for what is expensive."""

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from hashlib import sha256

from fastapi import Request, Response
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from orchestrator.services.auth.sessions import COOKIE_NAME
from orchestrator.services.person_slots import person_slot

EXPENSIVE_AT_ONCE = 2
EXPENSIVE_WAITING = 8


def key_of(request: Request) -> str:
    """Tells people apart before they are known: by cookie, token, or address."""
    shown = request.cookies.get(COOKIE_NAME) or request.headers.get("authorization")
    return sha256(shown.encode()).hexdigest() if shown else (request.client.host if request.client else "")


async def answer_expensive(request: Request, kind: str, work: Callable[[], Awaitable[Response]]) -> Response:
    """The response of an expensive read; one that is made while it is sent holds its slot until the last byte.

    Args:
        kind: has slots of its own, so that a long export holds up no report.

    Raises:
        TooMany: the person waits for too many of them already.
    """
    key = key_of(request)
    async with AsyncExitStack() as held:
        slot = person_slot(f"{kind} {key}", EXPENSIVE_AT_ONCE, EXPENSIVE_WAITING)
        await held.enter_async_context(slot)
        async with person_slot(key):
            response = await work()
        if not isinstance(response, StreamingResponse):
            return response
        return _HeldResponse(response, held.pop_all())
    raise AssertionError("not reached")


class _HeldResponse(Response):
    """Another response, after which a slot is left."""

    def __init__(self, response: Response, held: AsyncExitStack) -> None:
        self._response, self._held = response, held
        self.status_code, self.background = response.status_code, None
        self.raw_headers = response.raw_headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self._held:
            await self._response(scope, receive, send)
