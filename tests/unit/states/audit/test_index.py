"""The audit log's page: only for administrators, entries in words, and what a verification found."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text, update
from sqlmodel import col

from orchestrator.domain.audit import Act
from orchestrator.domain.users import Actor, Role, User
from orchestrator.services.audit.recording import Person, record
from orchestrator.services.auth.sessions import open_session
from orchestrator.services.db import session_scope
from orchestrator.states.audit.index import PATH, AuditState
from orchestrator.states.shared import identity
from tests.tabs import state_in, tab


def page(actor: Actor, role: Role) -> Any:
    identity._cache.clear()
    with session_scope() as session:
        session.exec(update(User).where(col(User.id) == actor.user_id).values(role=role))
        token = open_session(session, actor.user_id, True)
    return state_in(tab(token, PATH), AuditState)


def call(state: Any, name: str, *args: Any) -> None:
    async def visit() -> None:
        result = type(state).event_handlers[name].fn(state, *args)
        if hasattr(result, "__aiter__"):
            async for _ in result:
                pass
        else:
            await result

    asyncio.run(visit())


def test_it_shows_acts_in_words(home: Path, ada: Actor) -> None:
    with session_scope() as session:
        change = {"name": "old", "paused": False}, {"name": "", "paused": True, "clips": 1200}
        record(session, None, Act.DATASET_IMPORT_REQUESTED, 4, "Motions", *change, on_behalf_of=Person(1, "ada"))
    state = page(ada, Role.ADMIN)
    call(state, "load")
    line = state.rows[1]
    assert (line.act, line.who, line.object) == ("Dataset import requested", "the studio for ada", "Motions")
    assert line.changes == "name: old → nothing, paused: no → yes, clips: 1,200"
    call(state, "filter_kind", "dataset")
    assert [row.act for row in state.rows] == ["Dataset import requested"]
    call(state, "search", "no such name & more")
    assert state.rows == []
    assert state.export_query == "&acts=dataset&q=no%20such%20name%20%26%20more"
    call(state, "clear_filters")
    assert len(state.rows) == state.total == 2


def test_a_verification_says_what_it_found(home: Path, ada: Actor) -> None:
    state = page(ada, Role.ADMIN)
    call(state, "verify")
    assert state.verified.startswith("No entry was changed. Verified: 1.")
    assert not state.tampered
    with session_scope() as session:
        session.connection().execute(text("UPDATE audit_entries SET actor_name = 'eve'"))
    call(state, "verify")
    assert state.tampered
    assert state.verified.startswith("Entry 1 was changed after it was written")
    assert not state.verifying


@pytest.mark.parametrize("handler", ["load", "verify"])
def test_members_see_nothing_of_it(home: Path, ada: Actor, handler: str) -> None:
    state = page(ada, Role.MEMBER)
    call(state, handler)
    assert state.rows == []
    assert state.verified == ""
    assert not state.verifying
    assert handler == "verify" or state.problem == "Only an administrator reads the audit log."
