"""Changes that lead to the account need its password, and no token makes them."""

from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import update

from orchestrator.domain.base import utcnow
from orchestrator.domain.users import UserSession
from orchestrator.services.auth.limits import forget_clients
from orchestrator.services.db import session_scope
from tests.api_client import PASSWORD, make_client, refusal, sign_in

pytestmark = pytest.mark.usefixtures("redis_server")


@pytest.fixture
def browser(redis_server: object) -> TestClient:
    forget_clients()
    return sign_in("ada")


def age_sessions() -> None:
    """As if the password had been given an hour ago."""
    with session_scope() as session:
        session.exec(update(UserSession).values(created_at=utcnow() - timedelta(hours=1), confirmed_at=None))


def test_email_and_username_need_the_password(browser: TestClient) -> None:
    for change in ({"email": "eve@example.org"}, {"username": "eve"}):
        for given in ({}, {"current_password": "wrong"}):
            body = refusal(browser.patch("/api/v1/me", json=change | given), 422)
            assert body["errors"][0]["field"] == "current_password"
    assert browser.get("/api/v1/me").json()["email"] == "ada@example.org"
    change = {"email": "ada@example.net", "current_password": PASSWORD}
    assert browser.patch("/api/v1/me", json=change).json()["email"] == "ada@example.net"


def test_a_token_changes_neither_account_nor_tokens(browser: TestClient) -> None:
    made = browser.post("/api/v1/tokens", json={"name": "t"}).json()
    script = make_client(authorization=f"Bearer {made['token']}")
    change = {"email": "attacker@evil.example", "current_password": PASSWORD}
    refusal(script.patch("/api/v1/me", json=change), 403)
    refusal(script.get("/api/v1/tokens"), 403)
    refusal(script.delete(f"/api/v1/tokens/{made['id']}"), 403)
    refusal(script.post("/api/v1/tokens", json={"name": "more", "current_password": PASSWORD}), 403)
    refusal(script.post("/api/v1/me/confirm", json={"password": PASSWORD}), 403)
    assert script.get("/api/v1/me").json()["email"] == "ada@example.org"


def test_an_old_session_makes_and_deletes_tokens_with_the_password_only(browser: TestClient) -> None:
    number = browser.post("/api/v1/tokens", json={"name": "t"}).json()["id"]
    age_sessions()
    refusal(browser.post("/api/v1/tokens", json={"name": "more"}), 403)
    refusal(browser.delete(f"/api/v1/tokens/{number}"), 403)
    assert len(browser.get("/api/v1/tokens").json()["items"]) == 1
    for wrong in ("", "wrong"):
        refusal(browser.post("/api/v1/me/confirm", json={"password": wrong}), 422)
    refusal(browser.delete(f"/api/v1/tokens/{number}"), 403)
    assert browser.post("/api/v1/me/confirm", json={"password": PASSWORD}).status_code == 204
    assert browser.delete(f"/api/v1/tokens/{number}").status_code == 204
    age_sessions()
    body = {"name": "with", "current_password": PASSWORD}
    assert browser.post("/api/v1/tokens", json=body).status_code == 201


def test_the_password_cannot_be_guessed_there(browser: TestClient) -> None:
    answers = [browser.post("/api/v1/me/confirm", json={"password": f"guess {n}"}).status_code for n in range(6)]
    assert answers == [422] * 5 + [429]
    refusal(browser.patch("/api/v1/me", json={"username": "eve", "current_password": PASSWORD}), 429)
