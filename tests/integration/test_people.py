"""Accounts as administrators manage them: what a disabled account can still do, who may, links for a new password."""

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import update
from sqlmodel import col, select
from starlette.requests import Request

from orchestrator.api import event_streams
from orchestrator.api.event_streams import Validity
from orchestrator.domain.audit import Act, AuditEntry
from orchestrator.domain.base import utcnow
from orchestrator.domain.errors import Conflict
from orchestrator.domain.users import Actor, PasswordReset, Role, User, UserSession
from orchestrator.edge import socket_limits
from orchestrator.edge.socket_limits import SocketLimits
from orchestrator.services.auth import people, resets
from orchestrator.services.auth.limits import forget_clients
from orchestrator.services.auth.sessions import COOKIE_NAME
from orchestrator.services.db import session_scope
from orchestrator.stack import admin
from tests.api_client import PASSWORD, SITE, make_client, refusal, sign_in
from tests.studio import make_person

NEW = "other-plain-words-here"


@pytest.fixture
def bob(ada_client: TestClient) -> TestClient:
    return sign_in("bob")


def id_of(client: TestClient) -> str:
    return client.get("/api/v1/me").json()["id"]


def acts() -> list[tuple[str, str]]:
    with session_scope() as session:
        entries = session.exec(select(AuditEntry).order_by(col(AuditEntry.id))).all()
        return [(entry.act, entry.outcome.value) for entry in entries]


def log_in(name: str, password: str) -> Any:
    return make_client(origin=SITE).post("/api/v1/auth/login", json={"login": name, "password": password})


def test_a_disabled_account_ends_everywhere_and_comes_back(ada_client: TestClient, bob: TestClient) -> None:
    number, token = id_of(bob), bob.post("/api/v1/tokens", json={"name": "t"}).json()["token"]
    script = make_client(authorization=f"Bearer {token}")
    row = ada_client.patch(f"/api/v1/people/{number}", json={"disabled": True}).json()
    assert row["disabled_at"]
    refusal(bob.get("/api/v1/me"), 401)
    refusal(script.get("/api/v1/me"), 401)
    assert "is disabled" in refusal(log_in("bob", PASSWORD), 401)["detail"]
    assert "disabled" not in refusal(log_in("bob", "wrong-password"), 401)["detail"]
    assert [row["username"] for row in ada_client.get("/api/v1/people?status=disabled").json()["items"]] == ["bob"]
    assert ada_client.patch(f"/api/v1/people/{number}", json={"disabled": False}).json()["disabled_at"] is None
    assert script.get("/api/v1/me").status_code == 200
    refusal(bob.get("/api/v1/me"), 401)  # its sessions were closed for good
    assert log_in("bob", PASSWORD).status_code == 200
    assert {(Act.ACCOUNT_DISABLED, "done"), (Act.ACCOUNT_ENABLED, "done"), (Act.SESSION_OPENED, "refused")} <= set(
        acts()
    )


def test_streams_and_sockets_of_a_disabled_account_end(
    ada_client: TestClient, bob: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_streams, "ASK_AGAIN_S", 0.0)
    monkeypatch.setattr(socket_limits, "ASK_AGAIN_S", 0.05)
    cookie = f"{COOKIE_NAME}={bob.cookies[COOKIE_NAME]}"
    scope = {"type": "http", "method": "GET", "headers": [(b"cookie", cookie.encode())], "state": {}, "path": "/"}
    validity = Validity(Request(scope))
    closed: list[Any] = []

    async def app(_scope: Any, receive: Any, _send: Any) -> None:
        closed.append(await receive())

    async def never(*_message: Any) -> Any:
        await asyncio.Event().wait()

    async def visit() -> None:
        socket = {"type": "websocket", "headers": [(b"cookie", cookie.encode())], "client": ("192.0.2.1", 1)}
        open_socket = asyncio.ensure_future(SocketLimits(app)(socket, never, never))
        assert await validity.holds()
        await asyncio.sleep(0.3)
        assert not closed
        number = await asyncio.to_thread(id_of, bob)
        path = f"/api/v1/people/{number}"
        await asyncio.to_thread(lambda: ada_client.patch(path, json={"disabled": True}))
        assert not await validity.holds()
        await asyncio.wait_for(open_socket, 10)

    asyncio.run(visit())
    assert closed == [{"type": "websocket.disconnect", "code": 1008}]


def test_members_manage_no_accounts(ada_client: TestClient, bob: TestClient) -> None:
    number = id_of(ada_client)
    refusal(bob.get("/api/v1/people"), 403)
    refusal(bob.patch(f"/api/v1/people/{number}", json={"disabled": True}), 403)
    refusal(bob.patch(f"/api/v1/people/{id_of(bob)}", json={"role": "admin", "current_password": PASSWORD}), 403)
    refusal(bob.post(f"/api/v1/people/{number}/reset", json={"current_password": PASSWORD}), 403)
    refusal(ada_client.patch("/api/v1/people/999", json={"disabled": True}), 404)
    token = ada_client.post("/api/v1/tokens", json={"name": "t"}).json()["token"]
    script = make_client(authorization=f"Bearer {token}")
    refusal(script.patch(f"/api/v1/people/{id_of(bob)}", json={"disabled": True}), 403)


def test_the_last_administrator_stays(ada_client: TestClient, bob: TestClient) -> None:
    ada, other = f"/api/v1/people/{id_of(ada_client)}", f"/api/v1/people/{id_of(bob)}"
    assert "last administrator" in refusal(ada_client.patch(ada, json={"role": "member"}), 409)["detail"]
    assert "your own account" in refusal(ada_client.patch(ada, json={"disabled": True}), 409)["detail"]
    assert ada_client.get("/api/v1/me").json()["role"] == "admin"
    assert ada_client.patch(other, json={"role": "admin"}).json()["role"] == "admin"
    assert bob.get("/api/v1/people?role=admin").json()["total"] == 2
    with session_scope() as session:
        session.exec(update(UserSession).values(created_at=utcnow() - timedelta(hours=1)))
    refusal(ada_client.patch(other, json={"role": "member"}), 403)
    assert ada_client.patch(other, json={"role": "member", "current_password": PASSWORD}).json()["role"] == "member"


def test_two_administrators_who_demote_each_other(ada_client: TestClient) -> None:
    one, two = make_person("one"), make_person("two")
    with session_scope() as session:
        session.exec(update(User).values(role=Role.MEMBER))
        session.exec(update(User).where(col(User.id).in_([one.user_id, two.user_id])).values(role=Role.ADMIN))

    def demote(pair: tuple[Actor, Actor]) -> bool:
        by = Actor(pair[0].user_id, pair[0].username, pair[0].email, Role.ADMIN)
        try:
            with session_scope() as session:
                people.set_role(session, by, pair[1].user_id, "member")
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(demote, [(one, two), (two, one)])) == [False, True]


def test_a_link_sets_a_new_password_once(ada_client: TestClient, bob: TestClient) -> None:
    path = f"/api/v1/people/{id_of(bob)}/reset"
    first = secret_of(ada_client.post(path).json()["link"])
    link = ada_client.post(path).json()["link"]
    assert re.fullmatch(rf"{re.escape(SITE)}/reset\?link=[\w-]{{43}}", link)
    secret = secret_of(link)
    stranger = make_client(origin=SITE)

    def use(secret: str, password: str = NEW) -> Any:
        return stranger.post("/api/v1/auth/reset", json={"link": secret, "password": password})

    assert "has ended" in refusal(use(first), 409)["detail"]  # the second link ended the first
    assert refusal(use(secret, "password123"), 422)["errors"][0]["field"] == "password"
    assert bob.get("/api/v1/me").status_code == 200
    assert use(secret).status_code == 204
    refusal(bob.get("/api/v1/me"), 401)
    refusal(use(secret), 409)
    refusal(use("guessed"), 409)
    refusal(log_in("bob", PASSWORD), 401)
    assert log_in("bob", NEW).status_code == 200
    assert acts().count((Act.PASSWORD_RESET, "refused")) == 3
    assert (Act.PASSWORD_RESET, "done") in acts()
    late = secret_of(ada_client.post(path).json()["link"])
    with session_scope() as session:
        session.exec(update(PasswordReset).values(expires_at=utcnow() - timedelta(seconds=1)))
    refusal(use(late), 409)
    disabled = secret_of(ada_client.post(path).json()["link"])
    ada_client.patch(path.removesuffix("/reset"), json={"disabled": True})
    refusal(use(disabled), 409)
    refusal(ada_client.post(path), 409)
    assert {use("guessed").status_code for _ in range(25)} == {409, 429}


def secret_of(link: str) -> str:
    return link.partition("link=")[2]


def test_a_link_raced_by_two_is_used_once(ada_client: TestClient, bob: TestClient) -> None:
    forget_clients()
    secret = secret_of(ada_client.post(f"/api/v1/people/{id_of(bob)}/reset").json()["link"])

    def use(password: str) -> bool:
        try:
            with session_scope() as session:
                resets.reset_password(session, secret, password)
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(use, [f"{NEW}-{number}" for number in range(4)])) == [False, False, False, True]


def test_sign_out_everywhere(ada_client: TestClient) -> None:
    other = make_client(origin=SITE)
    other.post("/api/v1/auth/login", json={"login": "ada", "password": PASSWORD})
    assert other.get("/api/v1/me").status_code == 200
    assert ada_client.post("/api/v1/me/sign-out-everywhere").status_code == 204
    refusal(other.get("/api/v1/me"), 401)
    refusal(ada_client.get("/api/v1/me"), 401)


def test_the_command_line(ada_client: TestClient, bob: TestClient, capsys: pytest.CaptureFixture[str]) -> None:
    assert admin.main(["list", "bo"]) == 0
    assert re.search(r"bob +bob@example.org +member +active", capsys.readouterr().out)
    assert admin.main(["disable", "bob@example.org"]) == 0
    refusal(bob.get("/api/v1/me"), 401)
    assert admin.main(["enable", "BOB"]) == 0
    assert admin.main(["role", "bob", "admin"]) == 0
    assert admin.main(["role", "bob", "member"]) == 0
    assert admin.main(["role", "ada", "member"]) == 1
    assert "last administrator" in capsys.readouterr().err
    assert admin.main(["disable", "carla"]) == 1
    assert admin.main(["reset-password", "bob"]) == 0
    link = capsys.readouterr().out.split()[-1]
    body = {"link": secret_of(link), "password": NEW}
    assert make_client(origin=SITE).post("/api/v1/auth/reset", json=body).status_code == 204
    assert log_in("bob", NEW).status_code == 200
