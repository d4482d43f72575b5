"""The settings page asks for the password in a dialog, and what waits for it is made once it is right."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update
from sqlmodel import select

from orchestrator.domain.base import utcnow
from orchestrator.domain.users import ApiToken, User, UserSession
from orchestrator.services.auth.limits import forget_clients
from orchestrator.services.auth.sessions import COOKIE_NAME
from orchestrator.services.db import session_scope
from orchestrator.states.settings.index import SettingsState
from tests.api_client import PASSWORD, sign_in
from tests.tabs import state_in, tab


@pytest.fixture
def page(redis_server: object) -> Any:
    forget_clients()
    client = sign_in("ada")
    found = state_in(tab(client.cookies[COOKIE_NAME], "/settings"), SettingsState)
    press(found, "load")
    return found


def press(state: Any, name: str, *given: object) -> Any:
    return asyncio.run(state.event_handlers[name].fn(state, *given))


def usernames() -> list[str]:
    with session_scope() as session:
        return list(session.exec(select(User.username)).all())


def token_names() -> list[str]:
    with session_scope() as session:
        return list(session.exec(select(ApiToken.name)).all())


def test_a_new_name_waits_for_the_password(page: Any) -> None:
    press(page, "save_profile", {"username": "ada.b", "email": "ada@example.org"})
    assert (page.confirming, page.confirm_problem, usernames()) == (True, "", ["ada"])
    press(page, "confirm", {"confirm_password": "wrong"})
    assert (page.confirming, page.confirm_problem) == (True, "That is not your current password.")
    press(page, "confirm", {"confirm_password": PASSWORD})
    assert (page.confirming, page.username, usernames()) == (False, "ada.b", ["ada.b"])


def test_closing_the_dialog_changes_nothing(page: Any) -> None:
    press(page, "save_profile", {"username": "ada.b", "email": "ada@example.org"})
    press(page, "show_confirm", False)
    assert (page.confirming, usernames()) == (False, ["ada"])


def test_a_bad_field_shows_before_the_password_is_asked(page: Any) -> None:
    press(page, "save_profile", {"username": "a b", "email": "ada@example.org"})
    assert not page.confirming
    assert "3 to 32 letters" in page.profile_problems["username"]


def test_tokens_wait_for_the_password_in_an_old_session(page: Any) -> None:
    press(page, "create_token", {"name": "first", "access": "read"})
    with session_scope() as session:
        session.exec(update(UserSession).values(created_at=utcnow() - timedelta(hours=1)))
    press(page, "create_token", {"name": "second", "access": "read"})
    assert (page.confirming, token_names()) == (True, ["first"])
    press(page, "confirm", {"confirm_password": PASSWORD})
    assert (page.confirming, token_names()) == (False, ["first", "second"])
    with session_scope() as session:
        session.exec(update(UserSession).values(confirmed_at=utcnow() - timedelta(hours=1)))
    press(page, "delete_token", page.tokens[0].id)
    assert (page.confirming, token_names()) == (True, ["first", "second"])
    press(page, "confirm", {"confirm_password": PASSWORD})
    assert (page.confirming, token_names()) == (False, ["first"])
