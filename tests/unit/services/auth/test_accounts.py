"""Accounts and sessions below the API: the first administers, races end in a sentence, old sessions are swept."""

import threading
from datetime import timedelta

import pytest
from argon2 import PasswordHasher
from sqlalchemy import update
from sqlmodel import select

from orchestrator.domain.base import utcnow
from orchestrator.domain.errors import AppError, Conflict, NotAllowed, NotSignedIn, TooMany
from orchestrator.domain.users import Role, User, UserSession
from orchestrator.services.auth import accounts, last_use, passwords, sessions, tickets
from orchestrator.services.auth.limits import forget_clients
from orchestrator.services.auth.passwords import hash_password
from orchestrator.services.db import session_scope
from orchestrator.settings import Settings, get_settings

PASSWORD = "four-plain-words-here"
# Redis is away in these tests: the limits count in this process's memory.
pytestmark = pytest.mark.usefixtures("home")


@pytest.fixture(autouse=True)
def _fresh_limits(home: object) -> None:
    forget_clients()


def join(name: str, settings: Settings | None = None):
    with session_scope() as session:
        return accounts.sign_up(session, name, f"{name}@example.org", PASSWORD, settings or get_settings())


def test_of_many_first_accounts_at_once_exactly_one_administers():
    threads = [threading.Thread(target=join, args=(f"person{i}",)) for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with session_scope() as session:
        roles = [user.role for user in session.exec(select(User))]
    assert roles.count(Role.ADMIN) == 1
    assert len(roles) == 6


def test_of_many_at_once_one_gets_the_name_and_the_others_a_sentence():
    said: list[AppError] = []

    def attempt() -> None:
        try:
            join("ada")
        except AppError as error:
            said.append(error)

    threads = [threading.Thread(target=attempt) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [type(error) for error in said] == [Conflict] * 3
    assert {error.field for error in said} <= {"username", "email"}


@pytest.mark.parametrize("signup", ["closed", "invite"])
def test_closed_sign_up_still_lets_the_first_one_in(signup: str):
    settings = get_settings().model_copy(update={"signup": signup})
    assert join("ada", settings).is_admin
    with pytest.raises(NotAllowed):
        join("bob", settings)
    with session_scope() as session:
        assert len(session.exec(select(User)).all()) == 1


def test_fields_are_checked_as_one_leaves_them():
    join("ada")
    with session_scope() as session:
        assert "taken" in accounts.check_signup_field(session, "username", "ADA")
        assert "exists" in accounts.check_signup_field(session, "email", "Ada@Example.org")
        assert accounts.check_signup_field(session, "username", "bob") == ""
        assert accounts.check_signup_field(session, "password", "x")


def test_login_sweeps_what_ran_out_and_rehashes_old_parameters(
    monkeypatch: pytest.MonkeyPatch, quick_password_hashes: PasswordHasher
):
    monkeypatch.setattr(passwords, "_hasher", quick_password_hashes)
    actor = join("ada")
    with session_scope() as session:
        sessions.open_session(session, actor.user_id, True)
        session.exec(update(UserSession).values(expires_at=utcnow() - timedelta(days=1)))
        session.exec(update(User).values(password_hash=_weak_hash()))
    with session_scope() as session:
        sessions.log_in(session, "ada", PASSWORD, "10.0.0.1")
    with session_scope() as session:
        assert session.exec(select(UserSession)).all() == []
        assert "m=65536" in session.exec(select(User.password_hash)).one()


def _weak_hash() -> str:
    return PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)


def test_last_seen_is_written_at_most_once_a_minute():
    actor = join("ada")
    with session_scope() as session:
        token = sessions.open_session(session, actor.user_id, True)
    before = _last_seen()
    with session_scope() as session:
        assert sessions.actor_from_token(session, token) == actor
    assert _last_seen() == before
    with session_scope() as session:
        session.exec(update(UserSession).values(last_seen_at=utcnow() - timedelta(minutes=2)))
    last_use.forget_notes()
    with session_scope() as session:
        sessions.actor_from_token(session, token)
    last_use._writer.submit(lambda: None).result(10)  # behind the write
    assert utcnow() - _last_seen() < timedelta(seconds=30)


def _last_seen():
    with session_scope() as session:
        return session.exec(select(UserSession.last_seen_at)).one()


def test_others_are_signed_out_and_this_one_stays():
    actor = join("ada")
    with session_scope() as session:
        here, there = (sessions.open_session(session, actor.user_id, True) for _ in range(2))
        assert sessions.close_others(session, actor, here) == 1
        assert sessions.actor_from_token(session, here) == actor
        assert sessions.actor_from_token(session, there) is None
        assert [row.current for row in sessions.list_sessions(session, actor, here)] == [True]


def test_thirty_failures_from_one_address_close_it_for_every_account():
    with session_scope() as session:
        for i in range(30):
            with pytest.raises(NotSignedIn):
                sessions.log_in(session, f"nobody{i}", "x", "10.0.0.9")
        with pytest.raises(TooMany):
            sessions.log_in(session, "somebody-else", "x", "10.0.0.9")
        with pytest.raises(NotSignedIn):
            sessions.log_in(session, "somebody-else", "x", "10.0.0.10")


def test_a_right_password_clears_the_account():
    join("ada")
    with session_scope() as session:
        for _ in range(2):
            for _ in range(4):
                with pytest.raises(NotSignedIn):
                    sessions.log_in(session, "ada", "x", "10.0.0.2")
            sessions.log_in(session, "ada", PASSWORD, "10.0.0.2")


def test_a_ticket_is_good_once():
    actor = join("ada")
    with session_scope() as session:
        ticket = tickets.issue_ticket(session, actor.user_id, False)
        assert tickets.redeem_ticket(session, ticket) == (actor.user_id, False)
        with pytest.raises(NotSignedIn):
            tickets.redeem_ticket(session, ticket)


def test_a_new_password_needs_the_current_one():
    actor = join("ada")
    with session_scope() as session:
        with pytest.raises(AppError) as refused:
            accounts.change_password(session, actor, "wrong", "another-good-one")
        assert refused.value.field == "current"
        accounts.change_password(session, actor, PASSWORD, "another-good-one")
    with session_scope() as session:
        assert sessions.log_in(session, "ada", "another-good-one", "10.0.0.3") == actor
    assert hash_password("x") != hash_password("x")
