"""The job page opens the tab that the address names, and names the open one in it."""

import asyncio
from typing import Any

import pytest
from reflex.event import EventHandler, EventSpec

from orchestrator.domain.users import Actor, Role
from orchestrator.services.auth.sessions import COOKIE_NAME
from orchestrator.states.jobs.detail import JobDetailState
from orchestrator.states.jobs.detail_tabs import MISTAKES_ID
from tests.api_client import sign_in
from tests.studio import launch, make_things
from tests.tabs import state_in, tab


@pytest.fixture
def job(home: object) -> tuple[str, int]:
    client = sign_in("ada")
    actor = Actor(int(client.get("/api/v1/me").json()["id"]), "ada", "", Role.MEMBER)
    return client.cookies[COOKIE_NAME], launch(actor, make_things(actor))


def opened(job: tuple[str, int], query: str = "") -> tuple[Any, list[Any]]:
    """The page of the job, and the events that its load returns."""
    state = state_in(tab(job[0], f"/jobs/{job[1]}{query}"), JobDetailState)
    return state, asyncio.run(state.load())


def test_the_address_names_the_tab(job: tuple[str, int]) -> None:
    state, events = opened(job, "?tab=files")
    assert (state.tab, state.head.id) == ("files", job[1])
    assert events
    assert all(isinstance(event, EventHandler | EventSpec) or callable(event) for event in events)
    for query in ("", "?tab=nonsense"):
        assert opened(job, query)[0].tab == "overview"


def test_an_opened_tab_enters_the_address(job: tuple[str, int]) -> None:
    state, _ = opened(job)
    written = asyncio.run(state.show_tab("samples"))[0]
    assert f"/jobs/{job[1]}?tab=samples" in str(written)


def test_a_wrong_count_leads_to_its_clips(job: tuple[str, int]) -> None:
    state, _ = opened(job)
    events = "".join(map(str, asyncio.run(state.show_mistakes("up\u2192down"))))
    assert (state.tab, state.pair) == ("samples", "up\u2192down")
    assert "?tab=samples" in events
    assert MISTAKES_ID in events
