"""Who is behind a websocket: an answer is kept for a moment, and never longer than the session is open."""

import asyncio
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from orchestrator.domain.users import Actor
from orchestrator.services.auth import sessions
from orchestrator.services.db import session_scope
from orchestrator.states.shared import identity


@pytest.fixture(autouse=True)
def empty_cache() -> Iterator[None]:
    identity._cache.clear()
    yield
    identity._cache.clear()


def tab(token: str) -> Any:
    cookie = f"theme=dark; {sessions.COOKIE_NAME}={token}"
    return SimpleNamespace(router=SimpleNamespace(headers=SimpleNamespace(cookie=cookie)))


def opened(actor: Actor) -> str:
    with session_scope() as session:
        return sessions.open_session(session, actor.user_id, True)


def found(token: str) -> Actor | None:
    return asyncio.run(identity.find_actor(tab(token)))


def test_a_burst_of_events_asks_the_database_once(ada: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    token, asked, query = opened(ada), list[str](), identity._query_actor

    def counted(given: str) -> Actor | None:
        asked.append(given)
        return query(given)

    monkeypatch.setattr(identity, "_query_actor", counted)
    assert [found(token) for _ in range(3)] == [ada] * 3
    assert asked == [token]


def test_a_closed_session_ends_at_once(ada: Actor) -> None:
    here, there = opened(ada), opened(ada)
    assert (found(here), found(there)) == (ada, ada)
    with session_scope() as session:
        sessions.close_others(session, ada, here)
        session.commit()
    assert (found(here), found(there)) == (ada, None)
