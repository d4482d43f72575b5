"""Finds out who sits behind a websocket: the cookie of its handshake, looked up in the ledger."""

import asyncio
import time
from dataclasses import dataclass
from typing import Any

from orchestrator.domain.users import Actor
from orchestrator.services.auth.sessions import COOKIE_NAME, actor_from_token
from orchestrator.services.db import session_scope

CACHE_SECONDS = 2.0
"""How long an answer is kept: a burst of events costs one lookup, a closed session ends at once for people."""
_CACHE_LIMIT = 2_000


@dataclass(frozen=True, slots=True)
class _Answer:
    actor: Actor
    until: float


_cache: dict[str, _Answer] = {}


def session_token(cookie_header: str, name: str) -> str:
    """The session's token in a Cookie header, or "". The first of two equal names counts, as servers do."""
    for part in cookie_header.split(";"):
        key, _, value = part.strip().partition("=")
        if key == name and value:
            return value
    return ""


def token_of(state: Any) -> str:
    """The session token that came with the websocket's handshake of this state."""
    return session_token(state.router.headers.cookie or "", COOKIE_NAME)


def forget(token: str) -> None:
    """Drops a kept answer: after a logout, a new password, a new name."""
    _cache.pop(token, None)


def _look_up(token: str) -> Actor | None:
    with session_scope() as session:
        return actor_from_token(session, token)


async def find_actor(state: Any) -> Actor | None:
    """Who asks, or None. Only yes is kept for a moment; no is looked up again each time."""
    token = token_of(state)
    if not token:
        return None
    kept = _cache.get(token)
    if kept is not None and kept.until > time.monotonic():
        return kept.actor
    _cache.pop(token, None)
    actor = await asyncio.to_thread(_look_up, token)
    if actor is not None:
        if len(_cache) >= _CACHE_LIMIT:
            _cache.clear()
        _cache[token] = _Answer(actor, time.monotonic() + CACHE_SECONDS)
    return actor
