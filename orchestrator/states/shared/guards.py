"""Marks every event handler with who may call it, and runs services as the signed-in user."""

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar
from urllib.parse import quote

import reflex as rx
import structlog
from redis.exceptions import RedisError
from reflex.istate.proxy import StateProxy
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from orchestrator.domain.errors import AppError, Invalid, NotSignedIn
from orchestrator.domain.local_path import local_path
from orchestrator.domain.users import Actor
from orchestrator.services.audit.origin import begin_origin
from orchestrator.services.db import session_scope
from orchestrator.services.person_slots import person_slot
from orchestrator.services.store_errors import of_store
from orchestrator.states.shared.identity import find_actor
from orchestrator.ui.primitives.toast import toast

log = structlog.get_logger(__name__)
P = ParamSpec("P")
T = TypeVar("T")

PAGES_AT_ONCE = 4
PAGES_WAITING = 2_000
"""All tabs of a person ask again together after a restart."""
MARK = "__loreel_guard__"
"""Attribute of a guarded handler: "signed_in" or "public" (tests/architecture reads it)."""


class SessionEnded(Exception):
    """There is no session, or it has ended.

    No `AppError`, so that a handler that shows refusals next to a form's fields lets it pass: only the guard around the
    handler catches it, and sends the visitor to the login page.
    """


def login_address(state: Any) -> str:
    """The login page, with the current page as the one to return to."""
    url = state.router.url
    current = (url.path.rstrip("/") or "/") + (f"?{url.query}" if url.query else "")
    return "/login" if current in ("", "/", "/login") else f"/login?next={quote(local_path(current), safe='')}"


def problems_of(error: AppError) -> dict[str, str]:
    """The sentences of an error by form field; what belongs to no field has the key ""."""
    if isinstance(error, Invalid) and error.problems:
        return dict(reversed(error.problems))
    return {error.field: error.message}


def toast_for(error: AppError) -> rx.event.EventSpec:
    """An error as a toast."""
    return toast("error", error.message)


async def run_as_user(
    state: Any, service: Callable[Concatenate[Session, Actor, P], T], /, *args: P.args, **kwargs: P.kwargs
) -> T:
    """Runs `service(session, actor, ...)` in a thread and one transaction, as the user who is signed in here.

    Raises:
        SessionEnded: there is no session, or its account was deleted.
        AppError: the service refused, or a store does not answer; `problems_of` and `toast_for` turn it into words for
            a form or a toast.
    """
    actor = await current_user(state)
    try:
        async with _slot_of(actor):
            return await asyncio.to_thread(_in_transaction, service, actor, *args, **kwargs)
    except NotSignedIn as error:
        raise SessionEnded from error


async def run_in_steps(
    state: Any, service: Callable[Concatenate[Actor, P], T], /, *args: P.args, **kwargs: P.kwargs
) -> T:
    """Runs `service(actor, ...)`, which commits small transactions of its own, in a thread as the signed-in user.

    Raises:
        SessionEnded, AppError: as `run_as_user`.
    """
    actor = await current_user(state)
    async with _slot_of(actor):
        return await asyncio.to_thread(_with_sentences, service, actor, *args, **kwargs)


def _slot_of(actor: Actor) -> AbstractAsyncContextManager[None]:
    """Of the threads that serve pages one person uses a few at once, however many tabs are open."""
    return person_slot(f"pages {actor.user_id}", PAGES_AT_ONCE, PAGES_WAITING)


async def current_user(state: Any) -> Actor:
    """The user who is signed in here.

    Raises:
        SessionEnded: there is no session, or it has ended.
    """
    actor = await find_actor(state)
    if actor is None:
        raise SessionEnded
    return actor


async def run_service(service: Callable[Concatenate[Session, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Runs a service that needs no user (login, sign-up) in a thread and one transaction."""
    return await asyncio.to_thread(_in_transaction, service, *args, **kwargs)


def _in_transaction(service: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    def visit() -> Any:
        with session_scope() as session:
            return service(session, *args, **kwargs)

    return _with_sentences(visit)


def _with_sentences(work: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Runs it; an outage of the database or of Redis becomes a sentence.

    Raises:
        AppError: the service refused, or a store does not answer.
    """
    try:
        return work(*args, **kwargs)
    except (SQLAlchemyError, RedisError) as error:
        refusal = of_store(error)
        if refusal is None:
            raise
        log.warning("event.store_unavailable", error=type(error).__name__)
        raise refusal from error


async def _redirect_to_login(state: Any) -> Any:
    """Sends a visitor without a session to the login page, after wiping what an earlier one left in this tab."""
    async with state if isinstance(state, StateProxy) else _LockAlreadyTaken():
        state._get_root_state().reset()
    return rx.redirect(login_address(state))


class _LockAlreadyTaken:
    """Takes the place of the state's lock in a foreground handler, which holds it already."""

    async def __aenter__(self) -> None: ...

    async def __aexit__(self, *_: object) -> None: ...


def _guarded(handler: Callable[..., Any], mark: str, check: Callable[[Any], Any]) -> Any:
    """Wraps an async handler: first the check, then the handler; an AppError that it does not catch becomes a toast."""
    if inspect.isasyncgenfunction(handler):

        @wraps(handler)
        async def stream(self: Any, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
            structlog.contextvars.bind_contextvars(handler=handler.__qualname__)
            begin_origin(self.router.session.client_ip)
            try:
                await check(self)
                async for event in handler(self, *args, **kwargs):
                    yield event
            except SessionEnded:
                yield await _redirect_to_login(self)
            except AppError as error:
                yield toast_for(error)

        guarded: Any = stream
    elif inspect.iscoroutinefunction(handler):

        @wraps(handler)
        async def once(self: Any, *args: Any, **kwargs: Any) -> Any:
            structlog.contextvars.bind_contextvars(handler=handler.__qualname__)
            begin_origin(self.router.session.client_ip)
            try:
                await check(self)
                return await handler(self, *args, **kwargs)
            except SessionEnded:
                return await _redirect_to_login(self)
            except AppError as error:
                return toast_for(error)

        guarded = once
    else:
        raise TypeError(f"{handler.__qualname__} must be async: a guard reads the database first.")
    setattr(guarded, MARK, mark)
    return guarded


async def _must_be_signed_in(state: Any) -> None:
    try:
        actor = await find_actor(state)
    except SQLAlchemyError as error:
        raise of_store(error) or error from error
    if actor is None:
        raise SessionEnded
    structlog.contextvars.bind_contextvars(user=actor.user_id)


async def _anyone(_state: Any) -> None: ...


def signed_in(handler: Callable[..., Any]) -> Any:
    """Only for users with a session; others are sent to /login and back. Write it under `@rx.event`.

    A websocket client can call any handler: this checks who calls, the service checks whether the record is theirs.
    """
    return _guarded(handler, "signed_in", _must_be_signed_in)


def public(handler: Callable[..., Any]) -> Any:
    """For everyone, on purpose. Write it under `@rx.event`."""
    return _guarded(handler, "public", _anyone)
