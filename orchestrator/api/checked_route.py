"""One check of everything that a request brings, before its route reads it: size, pace, texts, numbers, nesting."""

import asyncio
import json
import time
from collections.abc import Callable, Coroutine, Iterator
from inspect import iscoroutinefunction
from typing import Any, NoReturn, TypeVar

from fastapi import APIRouter, Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.types import Message, Receive

from orchestrator.api.authentication import LOGINS, find_user_first
from orchestrator.api.disconnect import BodyTooSlow
from orchestrator.api.person_slots import answer_expensive, key_of
from orchestrator.domain.errors import Invalid
from orchestrator.domain.numbers import parse_number
from orchestrator.domain.plain_text import is_storable, value_problem
from orchestrator.services.auth.sessions import COOKIE_NAME
from orchestrator.services.person_slots import person_slot

JSON_BYTES = 2**20
"""The largest body of a route that does not say otherwise."""
ANONYMOUS_BYTES = 64 * 2**10
"""The largest body of a request without cookie and token."""
BODY_SECONDS = 20.0
"""How long a body of JSON may take to arrive."""
SLOWEST_BYTES_A_SECOND = 1_000
STREAM_GRACE_S = 30.0
"""How long a streamed body may be silent, and how long before its pace is judged."""
_CLOSE = {"Connection": "close"}
_NO_TEXT = "The address holds a character that is no text (NUL or half of a character pair)."


_STREAMS, _EXPENSIVE = "__streams_body__", "__expensive__"
Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])


def streams_body(*media_types: str) -> Callable[[Endpoint], Endpoint]:
    """Marks a route that reads a large body piece by piece: it limits the size itself, and a lowest pace holds.

    Args:
        media_types: what the body may be, for the OpenAPI document.
    """

    def mark(endpoint: Endpoint) -> Endpoint:
        setattr(endpoint, _STREAMS, media_types)
        return endpoint

    return mark


def streamed_types(endpoint: Callable[..., Any]) -> tuple[str, ...] | None:
    """The media types of a route that is marked with `streams_body`; None for another."""
    return getattr(endpoint, _STREAMS, None)


def expensive(endpoint: Endpoint) -> Endpoint:
    """Marks a route that reads much for one answer: few of a person run at once, few wait, the others get 429."""
    setattr(endpoint, _EXPENSIVE, True)
    return endpoint


def is_expensive(endpoint: Callable[..., Any]) -> bool:
    """Whether a route is marked with `expensive`."""
    return hasattr(endpoint, _EXPENSIVE)


class CheckedRoute(APIRoute):
    """A route behind the checks of this module."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The route's handler, called when the address is good, with a request that checks its body."""
        inner, streams = super().get_route_handler(), streamed_types(self.endpoint) is not None
        holds_a_thread = not iscoroutinefunction(self.endpoint)
        login = next((call for call in _calls_of(self.dependant) if call in LOGINS), None)
        reads_much = is_expensive(self.endpoint)

        async def handle(request: Request) -> Response:
            _check_address(request)
            receive = _CheckedBody(request.receive, None if streams else _most_bytes(request), request)
            checked = CheckedRequest(request.scope, receive)
            if reads_much:
                return await answer_expensive(request, self.path, lambda: inner(checked))
            if not holds_a_thread:
                if login is not None:  # what follows waits without a thread; the route's short parts use `run_for`
                    async with person_slot(key_of(request)):
                        await run_in_threadpool(find_user_first, request, login)
                return await inner(checked)
            async with person_slot(key_of(request)):
                return await inner(checked)

        return handle


def _calls_of(dependant: Dependant) -> Iterator[Callable[..., Any] | None]:
    """All dependencies of a route, those of dependencies too."""
    for inner in dependant.dependencies:
        yield inner.call
        yield from _calls_of(inner)


def checked_router(**options: Any) -> APIRouter:
    """A router whose routes are checked."""
    return APIRouter(route_class=CheckedRoute, **options)


class CheckedRequest(Request):
    """Reads JSON strictly: no NaN, no half character pairs, no NUL, no endless nesting or numbers."""

    async def json(self) -> Any:
        """The body's value.

        Raises:
            RefusedBody: it is not JSON that can be stored.
        """
        if not hasattr(self, "_json"):
            raw = await self.body()
            try:
                self._json = read_json(raw)
            except Invalid as error:
                raise RefusedBody(error) from error
        return self._json


class RefusedBody(HTTPException):
    """A refusal in the one form that FastAPI lets through while it reads a body."""

    def __init__(self, error: Invalid) -> None:
        super().__init__(error.status, error.message)
        self.error = error


class _CheckedBody:
    """The body's pieces; a body that is too large or too slow ends here, also where no length was announced."""

    def __init__(self, receive: Receive, most: int | None, request: Request) -> None:
        self._receive, self._most = receive, most
        self._began, self._size = time.monotonic(), 0
        if most is not None and (parse_number(request.headers.get("content-length", "")) or 0) > most:
            _too_large(most)

    async def __call__(self) -> Message:
        try:
            message = await asyncio.wait_for(self._receive(), self._patience())
        except TimeoutError:
            self._too_slow()
        if message["type"] == "http.request":
            self._size += len(message.get("body", b""))
            if self._most is not None and self._size > self._most:
                _too_large(self._most)
            passed = time.monotonic() - self._began
            unfinished = message.get("more_body", False)
            if unfinished and passed > STREAM_GRACE_S and self._size < passed * SLOWEST_BYTES_A_SECOND:
                self._too_slow()
            if not unfinished:
                self._began = float("inf")  # what follows is the wait for the client to leave
        return message

    def _patience(self) -> float | None:
        if self._began == float("inf"):
            return None
        if self._most is None:
            return STREAM_GRACE_S
        return max(0.1, BODY_SECONDS - (time.monotonic() - self._began))

    def _too_slow(self) -> NoReturn:
        if self._most is None:
            raise BodyTooSlow  # an upload keeps what has arrived, and its sender resumes from there
        raise HTTPException(408, "The body did not arrive in time. Send it again.", _CLOSE)


def _too_large(most: int) -> NoReturn:
    size = f"{most // 2**20} MiB" if most >= 2**20 else f"{most // 2**10} KiB"
    raise HTTPException(413, f"The body may have {size} here. Send less.", _CLOSE)


def _most_bytes(request: Request) -> int:
    known = COOKIE_NAME in request.cookies or "authorization" in request.headers
    return JSON_BYTES if known else ANONYMOUS_BYTES


def _check_address(request: Request) -> None:
    texts = [request.scope["path"]]
    for pair in request.query_params.multi_items():
        texts += pair
    if not all(map(is_storable, texts)):
        raise Invalid(_NO_TEXT)


def read_json(raw: bytes) -> Any:
    """The value of a body.

    Raises:
        Invalid: it is not JSON, or holds what cannot be stored.
    """
    try:
        value = json.loads(raw.decode(), parse_constant=_no_constant)
    except RecursionError:
        raise Invalid("Lists and objects in the body are nested too deep.", "body") from None
    except UnicodeDecodeError:
        raise Invalid("The body is not UTF-8.", "body") from None
    except json.JSONDecodeError as error:
        raise Invalid(f"The body is not JSON: {error.msg} at character {error.pos}.", "body") from None
    except ValueError:
        raise Invalid("A number in the body is too long, or is none.", "body") from None
    if (problem := value_problem(value)) is not None:
        raise Invalid(problem[1], problem[0] or "body")
    return value


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)
