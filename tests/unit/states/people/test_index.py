"""The page of the accounts: a role and a link for a new password wait for the administrator's password."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from orchestrator.domain.base import utcnow
from orchestrator.domain.users import UserSession
from orchestrator.services.auth.limits import forget_clients
from orchestrator.services.auth.sessions import COOKIE_NAME
from orchestrator.services.db import session_scope
from orchestrator.states.people.index import PATH, PeopleState
from tests.api_client import PASSWORD, sign_in
from tests.tabs import state_in, tab


def press(state: Any, name: str, *given: object) -> Any:
    return asyncio.run(state.event_handlers[name].fn(state, *given))


@pytest.fixture
def pages(redis_server: object) -> tuple[Any, Any]:
    """The page of the administrator, and of a member."""
    forget_clients()
    cookies = [sign_in(name).cookies[COOKIE_NAME] for name in ("ada", "bob")]
    with session_scope() as session:
        session.exec(update(UserSession).values(created_at=utcnow() - timedelta(hours=1)))
    ada, bob = (state_in(tab(cookie, PATH), PeopleState) for cookie in cookies)
    press(ada, "load")
    return ada, bob


def test_a_link_and_a_role_wait_for_the_password(pages: tuple[Any, Any]) -> None:
    ada, _ = pages
    bob = next(row for row in ada.rows if row.username == "bob")
    assert [row.is_self for row in ada.rows] == [True, False]
    press(ada, "ask_reset", bob.id)
    assert (ada.confirming, ada.question) == (True, "bob gets a link for a new password, once.")
    press(ada, "confirm", {"confirm_password": "wrong"})
    assert (ada.confirm_problem, ada.link) == ("That is not your current password.", "")
    press(ada, "confirm", {"confirm_password": PASSWORD})
    assert (ada.confirming, ada.link_for) == (False, "bob")
    assert "/reset?link=" in ada.link
    press(ada, "hide_link")
    press(ada, "ask_role", bob.id, "admin")
    press(ada, "show_confirm", False)
    assert not next(row for row in ada.rows if row.id == bob.id).is_admin
    press(ada, "ask_role", bob.id, "admin")
    press(ada, "confirm", {"confirm_password": PASSWORD})
    assert next(row for row in ada.rows if row.id == bob.id).is_admin
    press(ada, "disable", bob.id, True)
    press(ada, "filter_status", "disabled")
    assert [row.username for row in ada.rows] == ["bob"]


def test_a_member_sees_and_changes_nothing(pages: tuple[Any, Any]) -> None:
    ada, bob = pages
    press(bob, "load")
    assert (bob.rows, bob.problem) == ([], "Only an administrator manages accounts.")
    number = ada.rows[0].id
    press(bob, "disable", number, True)
    press(bob, "ask_role", ada.rows[1].id, "admin")
    press(bob, "confirm", {"confirm_password": PASSWORD})
    assert bob.confirm_problem == "Only an administrator manages accounts."
    press(ada, "refresh")
    assert [(row.is_admin, row.is_disabled) for row in ada.rows] == [(True, False), (False, False)]
