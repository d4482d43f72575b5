"""Marks every event handler with who may call it, and carries a handler's wish down to one service."""

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar
from urllib.parse import quote, urlsplit

import reflex as rx
import structlog
from redis.exceptions import RedisError
from reflex.istate.proxy import StateProxy
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from orchestrator.domain.errors import AppError, Invalid, NotSignedIn
from orchestrator.domain.users import Actor
from orchestrator.services.db import session_scope
from orchestrator.services.store_errors import of_store
from orchestrator.states.shared.identity import find_actor
from orchestrator.ui.primitives.toast import toast

log = structlog.get_logger(__name__)
P = ParamSpec("P")
T = TypeVar("T")

MARK = "__loreel_guard__"
"""Attribute of a guarded handler: "signed_in" or "public" (tests/architecture reads it)."""


def local_path(path: str, fallback: str = "/overview") -> str:
    """`path` when it leads to a page of this house, else the fallback: no redirect ever leaves the site."""
    parts = urlsplit(path)
    plain = path.startswith("/") and not path.startswith(("//", "/\\", "/api")) and "\\" not in path
    return path if plain and not parts.scheme and not parts.netloc and path.isprintable() else fallback


def login_address(state: Any) -> str:
    """The login page, told which page to come back to."""
    url = state.router.url
    wanted = (url.path.rstrip("/") or "/") + (f"?{url.query}" if url.query else "")
    return "/login" if wanted in ("", "/", "/login") else f"/login?next={quote(local_path(wanted), safe='')}"


def problems_of(error: AppError) -> dict[str, str]:
    """The sentences of an error by form field; what belongs to no field stands under ""."""
    if isinstance(error, Invalid) and error.problems:
        return dict(reversed(error.problems))
    return {error.field: error.message}


def said(error: AppError) -> rx.event.EventSpec:
    """An error as a toast."""
    return toast("error", error.message)


async def act(
    state: Any, service: Callable[Concatenate[Session, Actor, P], T], /, *args: P.args, **kwargs: P.kwargs
) -> T:
    """Runs `service(session, actor, ...)` in a thread, in one transaction, for whoever is signed in here.

    Raises:
        NotSignedIn: nobody is, or no longer.
        AppError: the service refused; `problems_of` and `said` put it into words for a form or a toast.
    """
    actor = await find_actor(state)
    if actor is None:
        raise NotSignedIn("Your session has ended. Log in again.")

    return await asyncio.to_thread(_in_a_transaction, lambda session: service(session, actor, *args, **kwargs))


async def call(service: Callable[Concatenate[Session, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Runs a service that needs no actor (login, signup) in a thread, in one transaction."""

    return await asyncio.to_thread(_in_a_transaction, lambda session: service(session, *args, **kwargs))


def _in_a_transaction(service: Callable[[Session], T]) -> T:
    """Runs it; an outage of the database or of Redis becomes a sentence.

    Raises:
        AppError: the service refused, or a store does not answer.
    """
    try:
        with session_scope() as session:
            return service(session)
    except (SQLAlchemyError, RedisError) as error:
        refusal = of_store(error)
        if refusal is None:
            raise
        log.warning("event.store_unavailable", error=type(error).__name__)
        raise refusal from error


async def _turned_away(state: Any) -> Any:
    """Sends a visitor without a session to the login page, after wiping what an earlier one left in this tab."""
    async with state if isinstance(state, StateProxy) else _LockAlreadyTaken():
        state._get_root_state().reset()
    return rx.redirect(login_address(state))


class _LockAlreadyTaken:
    """A stand-in for the lock that a foreground handler already holds."""

    async def __aenter__(self) -> None: ...

    async def __aexit__(self, *_: object) -> None: ...


async def _refusal(state: Any, error: AppError) -> Any:
    return await _turned_away(state) if isinstance(error, NotSignedIn) else said(error)


def _guarded(handler: Callable[..., Any], mark: str, check: Callable[[Any], Any]) -> Any:
    """Wraps an async handler: first the check, then the handler; an AppError it lets through becomes a toast."""
    if inspect.isasyncgenfunction(handler):

        @wraps(handler)
        async def stream(self: Any, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
            structlog.contextvars.bind_contextvars(handler=handler.__qualname__)
            try:
                await check(self)
                async for event in handler(self, *args, **kwargs):
                    yield event
            except AppError as error:
                yield await _refusal(self, error)

        guarded: Any = stream
    elif inspect.iscoroutinefunction(handler):

        @wraps(handler)
        async def once(self: Any, *args: Any, **kwargs: Any) -> Any:
            structlog.contextvars.bind_contextvars(handler=handler.__qualname__)
            try:
                await check(self)
                return await handler(self, *args, **kwargs)
            except AppError as error:
                return await _refusal(self, error)

        guarded = once
    else:
        raise TypeError(f"{handler.__qualname__} must be async: a guard asks the ledger first.")
    setattr(guarded, MARK, mark)
    return guarded


async def _must_be_signed_in(state: Any) -> None:
    try:
        actor = await find_actor(state)
    except SQLAlchemyError as error:
        raise of_store(error) or error from error
    if actor is None:
        raise NotSignedIn("Log in to go on.")
    structlog.contextvars.bind_contextvars(user=actor.user_id)


async def _anyone(_state: Any) -> None: ...


def signed_in(handler: Callable[..., Any]) -> Any:
    """Only for people with a session; others are sent to /login and back. Write it under `@rx.event`.

    A websocket client can call any handler: this asks who they are, the service asks whether the thing is theirs.
    """
    return _guarded(handler, "signed_in", _must_be_signed_in)


def public(handler: Callable[..., Any]) -> Any:
    """For everyone, on purpose. Write it under `@rx.event`."""
    return _guarded(handler, "public", _anyone)
