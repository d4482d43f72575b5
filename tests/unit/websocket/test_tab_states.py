"""The state of a tab that is not signed in is kept for minutes, and goes soon after the tab was closed."""

import asyncio
import time

import pytest
import reflex as rx
from reflex.istate.manager.token import BaseStateToken

from orchestrator.states.shell.session import SessionState, is_signed_in
from orchestrator.websocket import tab_states
from orchestrator.websocket.tab_states import TabStates
from tests.tabs import state_in

TAB = BaseStateToken(ident="tab", cls=rx.State)


async def opened(user_id: int) -> TabStates:
    made = TabStates(is_signed_in)
    async with made.modify_state(TAB) as root:
        state_in(root, SessionState).user_id = user_id
    return made


def seconds_left(made: TabStates) -> float:
    return made._token_expires_at["tab"][0] - time.time()


def test_an_anonymous_tab_expires_within_minutes() -> None:
    assert seconds_left(asyncio.run(opened(0))) <= tab_states.ANONYMOUS_S


def test_a_tab_of_a_user_expires_after_an_hour_also_when_closed() -> None:
    async def visit() -> float:
        made = await opened(1)
        made.tab_closed("tab")
        return seconds_left(made)

    assert asyncio.run(visit()) > 3000


def test_a_closed_anonymous_tab_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tab_states, "CLOSED_ANONYMOUS_S", 0.05)

    async def visit() -> None:
        made = await opened(0)
        await asyncio.sleep(0)  # the purging task sleeps now, for ten minutes
        made.tab_closed("tab")
        made.tab_closed("unknown")
        await asyncio.sleep(0.3)
        assert made.states == {}
        assert made._token_expires_at == {}
        await made.close()

    asyncio.run(visit())
