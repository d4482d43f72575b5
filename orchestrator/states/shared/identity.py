"""Finds the user behind a websocket: the session cookie of its handshake, looked up in the database."""

import asyncio
import time
from dataclasses import dataclass
from typing import Any

from orchestrator.domain.users import Actor
from orchestrator.services.auth import device_cookies
from orchestrator.services.auth.sessions import COOKIE_NAME, actor_from_token, sessions_generation
from orchestrator.services.db import session_scope

CACHE_SECONDS = 2.0
"""How long an answer is cached: a burst of events costs one query, and a closed session still ends at once."""
_CACHE_LIMIT = 2_000


@dataclass(frozen=True, slots=True)
class _CachedActor:
    actor: Actor
    expires_at: float
    generation: int
    """`sessions_generation` when it was read: sessions that were closed since may be this one."""


_cache: dict[str, _CachedActor] = {}


def cookie_value(cookie_header: str, name: str) -> str:
    """The cookie of this name in a Cookie header, or "". The first of two equal names counts, as servers do."""
    for part in cookie_header.split(";"):
        key, _, value = part.strip().partition("=")
        if key == name and value:
            return value
    return ""


def token_of(state: Any) -> str:
    """The session token that came with the websocket's handshake of this state."""
    return cookie_value(state.router.headers.cookie or "", COOKIE_NAME)


def device_cookie_of(state: Any) -> str:
    """The device cookie that came with the handshake."""
    return cookie_value(state.router.headers.cookie or "", device_cookies.COOKIE_NAME)


def forget(token: str) -> None:
    """Drops a cached answer: after a logout, a new password, a new name."""
    _cache.pop(token, None)


def _query_actor(token: str) -> Actor | None:
    with session_scope() as session:
        return actor_from_token(session, token)


async def find_actor(state: Any) -> Actor | None:
    """The signed-in user, or None. Only a user that was found is cached; a missing one is queried each time."""
    token = token_of(state)
    if not token:
        return None
    cached = _cache.get(token)
    generation = sessions_generation()
    if cached is not None and cached.generation == generation and cached.expires_at > time.monotonic():
        return cached.actor
    _cache.pop(token, None)
    actor = await asyncio.to_thread(_query_actor, token)
    if actor is not None:
        if len(_cache) >= _CACHE_LIMIT:
            _cache.clear()
        _cache[token] = _CachedActor(actor, time.monotonic() + CACHE_SECONDS, generation)
    return actor
