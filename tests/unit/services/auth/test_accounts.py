"""Accounts: the first one administers, names are taken once, passwords are proved, sessions and tickets end."""

from pathlib import Path

import pytest
from sqlmodel import select

from orchestrator.domain.datasets import Dataset
from orchestrator.domain.errors import Conflict, Invalid, NotAllowed, NotSignedIn, TooMany
from orchestrator.domain.users import Actor, Role
from orchestrator.services.auth import accounts, limits, sessions, tickets, tokens
from orchestrator.services.db import session_scope
from orchestrator.settings import Settings

GOOD = "correct horse battery"


@pytest.fixture(autouse=True)
def fresh_limits(home: Path) -> None:
    limits.forget_clients()


def join(name: str = "ada", **settings: str) -> Actor:
    with session_scope() as session:
        return accounts.sign_up(session, name, f"{name}@example.org", GOOD, Settings(**settings))  # type: ignore[arg-type]


def test_the_first_account_administers_and_each_gets_the_demo() -> None:
    assert join("ada").role is Role.ADMIN
    assert join("eve").role is Role.MEMBER
    with session_scope() as session:
        assert [dataset.is_demo for dataset in session.exec(select(Dataset))] == [True, True]


@pytest.mark.parametrize(
    ("username", "email", "password", "field"),
    [
        ("", "a@example.org", GOOD, "username"),
        ("a b", "a@example.org", GOOD, "username"),
        ("grace", "not an email", GOOD, "email"),
        ("grace", "grace@example.org", "short", "password"),
    ],
)
def test_bad_fields_are_named(username: str, email: str, password: str, field: str) -> None:
    with session_scope() as session, pytest.raises(Invalid) as refused:
        accounts.sign_up(session, username, email, password, Settings())
    assert [name for name, _ in refused.value.problems] == [field]


def test_names_are_taken_in_any_case() -> None:
    join("Ada")
    for name, email, field in (("ADA", "x@example.org", "username"), ("bob", "ADA@EXAMPLE.org", "email")):
        with pytest.raises(Conflict) as refused, session_scope() as session:
            accounts.sign_up(session, name, email, GOOD, Settings())
        assert refused.value.field == field
        with session_scope() as session:
            assert accounts.check_signup_field(session, field, name if field == "username" else email)


def test_sign_up_may_be_closed() -> None:
    join("ada", signup="closed")
    with pytest.raises(NotAllowed):
        join("eve", signup="closed")


@pytest.mark.parametrize("login", ["ada", "ADA", "ada@example.org"])
def test_log_in_by_name_or_email(login: str) -> None:
    ada = join("ada")
    with session_scope() as session:
        assert sessions.log_in(session, login, GOOD, "1.2.3.4") == ada


def test_wrong_passwords_are_slowed_down() -> None:
    join("ada")
    for _ in range(5):
        with pytest.raises(NotSignedIn), session_scope() as session:
            sessions.log_in(session, "ada", "wrong", "1.2.3.4")
    with pytest.raises(TooMany), session_scope() as session:
        sessions.log_in(session, "ada", GOOD, "1.2.3.4")


def test_a_session_lives_until_it_is_closed() -> None:
    ada = join("ada")
    with session_scope() as session:
        one, two = (sessions.open_session(session, ada.user_id, remember=True) for _ in range(2))
        assert sessions.actor_from_token(session, one) == ada
        assert sessions.actor_from_token(session, "rubbish") is None
        assert len(sessions.list_sessions(session, ada, one)) == 2
        assert sessions.close_others(session, ada, one) == 1
        assert sessions.actor_from_token(session, two) is None
        sessions.close_session(session, one)
        assert sessions.actor_from_token(session, one) is None


def test_a_ticket_is_good_once() -> None:
    ada = join("ada")
    with session_scope() as session:
        ticket = tickets.issue_ticket(session, ada.user_id, remember=True)
        assert tickets.redeem_ticket(session, ticket) == (ada.user_id, True)
        with pytest.raises(NotSignedIn):
            tickets.redeem_ticket(session, ticket)


def test_tokens_carry_their_scopes() -> None:
    ada = join("ada")
    with session_scope() as session:
        made = tokens.create_token(session, ada, "script", ["read"])
        assert tokens.actor_from_bearer(session, made.token) == (ada, frozenset({"read"}))
        tokens.delete_token(session, ada, tokens.list_tokens(session, ada)[0].id)
        assert tokens.actor_from_bearer(session, made.token) is None


def test_a_password_changes_only_with_the_current_one() -> None:
    ada = join("ada")
    with session_scope() as session:
        with pytest.raises(Invalid) as refused:
            accounts.change_password(session, ada, "wrong", "another good phrase")
        assert refused.value.field == "current"
        accounts.change_password(session, ada, GOOD, "another good phrase")
        assert sessions.log_in(session, "ada", "another good phrase", "") == ada
