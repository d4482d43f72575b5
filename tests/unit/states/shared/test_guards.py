"""Guards fail closed: no session, no handler; and no redirect leaves the site."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from orchestrator.domain.errors import Conflict, Invalid
from orchestrator.domain.users import Actor, Role
from orchestrator.states.shared import guards
from orchestrator.states.shared.identity import cookie_value

ADA = Actor(user_id=1, username="ada", email="ada@example.com", role=Role.MEMBER)


def _state(url: str = "/jobs/7?tab=logs") -> Any:
    path, _, query = url.partition("?")
    session = SimpleNamespace(client_ip="")
    return SimpleNamespace(router=SimpleNamespace(url=SimpleNamespace(path=path, query=query), session=session))


def test_login_address_remembers_the_page() -> None:
    assert guards.login_address(_state()) == "/login?next=%2Fjobs%2F7%3Ftab%3Dlogs"
    assert guards.login_address(_state("/")) == "/login"


def test_cookie_value_takes_the_named_cookie() -> None:
    assert cookie_value("a=1; loreel_session=tok; b=2", "loreel_session") == "tok"
    assert cookie_value("xloreel_session=tok; b=2", "loreel_session") == ""
    assert cookie_value("", "loreel_session") == ""


def test_signed_in_redirects_visitors_without_a_session(monkeypatch: pytest.MonkeyPatch) -> None:
    called = []

    async def no_actor(_state: Any) -> None:
        return None

    async def redirect(_state: Any) -> str:
        return "to the login page"

    async def handler(_self: Any) -> None:
        called.append(1)

    async def stream(_self: Any):
        called.append(2)
        yield

    monkeypatch.setattr(guards, "find_actor", no_actor)
    monkeypatch.setattr(guards, "_redirect_to_login", redirect)
    assert asyncio.run(guards.signed_in(handler)(_state())) == "to the login page"

    async def drain() -> list[Any]:
        return [event async for event in guards.signed_in(stream)(_state())]

    assert asyncio.run(drain()) == ["to the login page"]
    assert called == []


def test_a_service_runs_as_the_signed_in_user(monkeypatch: pytest.MonkeyPatch) -> None:
    async def ada(_state: Any) -> Actor:
        return ADA

    class Scope:
        def __enter__(self) -> str:
            return "session"

        def __exit__(self, *_: object) -> None: ...

    monkeypatch.setattr(guards, "find_actor", ada)
    monkeypatch.setattr(guards, "session_scope", Scope)

    def service(session: Any, actor: Actor, name: str) -> tuple[Any, str, str]:
        return session, actor.username, name

    assert asyncio.run(guards.run_as_user(_state(), service, name="x")) == ("session", "ada", "x")


def test_a_service_needs_a_session(monkeypatch: pytest.MonkeyPatch) -> None:
    async def no_actor(_state: Any) -> None:
        return None

    monkeypatch.setattr(guards, "find_actor", no_actor)
    with pytest.raises(guards.SessionEnded):
        asyncio.run(guards.run_as_user(_state(), lambda _session, _actor: None))


def test_a_failing_session_lookup_lets_no_one_in(monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(_state: Any) -> None:
        raise RuntimeError("database away")

    async def handler(_self: Any) -> str:
        return "secret"

    monkeypatch.setattr(guards, "find_actor", broken)
    with pytest.raises(RuntimeError):
        asyncio.run(guards.signed_in(handler)(_state()))


def test_plain_functions_cannot_be_guarded() -> None:
    with pytest.raises(TypeError):
        guards.signed_in(lambda _self: None)


def test_problems_by_field() -> None:
    assert guards.problems_of(Conflict("Taken.", field="name")) == {"name": "Taken."}
    several = Invalid("Two problems.", problems=[("name", "Too short."), ("name", "Odd."), ("email", "No @.")])
    assert guards.problems_of(several) == {"name": "Too short.", "email": "No @."}
