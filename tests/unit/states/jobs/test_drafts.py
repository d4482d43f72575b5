"""The list of drafts: what it shows, and that a discarded draft can be brought back as it was."""

import asyncio
from typing import Any

import pytest

from orchestrator.domain.users import Actor, Role
from orchestrator.services.auth.limits import forget_clients
from orchestrator.services.auth.sessions import COOKIE_NAME
from orchestrator.services.db import session_scope
from orchestrator.services.training import drafts
from orchestrator.states.jobs.drafts import FEW, DraftsState
from tests.api_client import sign_in
from tests.studio import launch, make_things
from tests.tabs import state_in, tab


class Person:
    """A signed-in user."""

    def __init__(self, name: str) -> None:
        client = sign_in(name)
        self.cookie = client.cookies[COOKIE_NAME]
        self.actor = Actor(int(client.get("/api/v1/me").json()["id"]), name, "", Role.MEMBER)

    def stores(self, name: str, **values: Any) -> int:
        with session_scope() as session:
            found = {"values": {"output_name": name}, "step": 3} | values
            return drafts.save_draft(session, self.actor, found, drafts.Edit(f"key-{name}", "tab", 4)).id

    def opens(self) -> Any:
        state = state_in(tab(self.cookie, "/jobs"), DraftsState)
        asyncio.run(state.load())
        return state


@pytest.fixture
def person(home: object) -> Person:
    forget_clients()
    return Person("ada")


def discard(state: Any, draft_id: int) -> Any:
    return asyncio.run(state.discard(draft_id))


def test_drafts_are_listed_with_what_they_chose(person: Person) -> None:
    assert not person.opens().shown
    dataset, model = make_things(person.actor)
    person.stores("first")
    person.stores("", dataset_id=dataset, model_id=model)
    state = person.opens()
    assert state.shown
    assert [(line.title, line.note) for line in state.lines] == [
        ("Not named yet", "Motions, Tiny VideoMAE"),
        ("first", "Nothing chosen yet"),
    ]


def test_more_than_a_few_are_shown_when_asked_for(person: Person) -> None:
    for number in range(FEW + 2):
        person.stores(f"run-{number}")
    state = person.opens()
    assert (len(state.first_lines), state.hidden) == (FEW, 2)
    asyncio.run(state.show_all())
    assert (len(state.first_lines), state.hidden) == (FEW + 2, 0)


def test_a_discarded_draft_comes_back_with_its_values_and_its_key(person: Person) -> None:
    draft_id = person.stores("night-run")
    state = person.opens()
    assert "Undo" in str(discard(state, draft_id))
    assert (state.lines, state.shown) == ([], True)
    asyncio.run(state.undo(draft_id))
    (line,) = state.lines
    with session_scope() as session:
        draft = drafts.open_draft(session, person.actor, line.id)
    assert (draft.values["values"], draft.launch_key, draft.stored_edit) == (
        {"output_name": "night-run"},
        "key-night-run",
        ("tab", 4),
    )
    asyncio.run(state.undo(draft_id))
    assert len(state.lines) == 1


def test_each_of_several_discarded_drafts_comes_back_by_its_own_undo(person: Person) -> None:
    first, second = person.stores("first"), person.stores("second")
    state = person.opens()
    discard(state, first)
    discard(state, second)
    asyncio.run(state.undo(first))
    asyncio.run(state.undo(second))
    assert sorted(line.title for line in state.lines) == ["first", "second"]
    assert "cannot be brought back" in str(asyncio.run(state.undo(second)))


def test_an_undo_brings_back_no_draft_that_was_launched_meanwhile(person: Person) -> None:
    draft_id = person.stores("night-run")
    state = person.opens()
    discard(state, draft_id)
    launch(person.actor, make_things(person.actor), "key-night-run")
    assert "launched" in str(asyncio.run(state.undo(draft_id)))
    assert state.lines == []


def test_drafts_of_others_are_neither_listed_nor_discarded(person: Person) -> None:
    draft_id = person.stores("night-run")
    other = Person("eve").opens()
    assert other.lines == []
    odd: Any
    for odd in (draft_id, -1, 0, 10**30, "x", None):
        discard(other, odd)
    assert len(person.opens().lines) == 1
