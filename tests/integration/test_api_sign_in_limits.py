"""Sign-up and login by REST are limited, and a browser that was here before is not locked out by strangers."""

import pytest
from fastapi.testclient import TestClient

from orchestrator.services.auth.device_cookies import COOKIE_NAME
from orchestrator.services.auth.limits import forget_clients
from orchestrator.settings import get_settings
from tests.api_client import PASSWORD, SITE, make_client, refusal, sign_in
from tests.openapi import shared_api

pytestmark = pytest.mark.usefixtures("redis_server")


@pytest.fixture(autouse=True)
def _fresh_limits(redis_server: object) -> None:
    forget_clients()


def client_at(ip: str) -> TestClient:
    return TestClient(shared_api(), base_url=SITE, client=(ip, 5000), raise_server_exceptions=False)


def test_sign_up_is_limited_by_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOREEL_SIGNUPS_PER_HOUR", "2")
    get_settings.cache_clear()

    def sign_up(n: int, ip: str = "10.0.0.1"):
        body = {"username": f"person{n}", "email": f"person{n}@example.org", "password": PASSWORD}
        return client_at(ip).post("/api/v1/auth/signup", json=body)

    assert [sign_up(n).status_code for n in range(2)] == [201, 201]
    answer = sign_up(2)
    assert "Try again in" in refusal(answer, 429)["detail"]
    assert 60 < int(answer.headers["retry-after"]) <= 3600
    assert sign_up(3, "10.0.0.2").status_code == 201


def test_a_browser_that_was_here_gets_in_while_a_stranger_guesses() -> None:
    owner = sign_in("ada")
    assert (
        "HttpOnly"
        in owner.post("/api/v1/auth/login", json={"login": "ada", "password": PASSWORD})
        .headers["set-cookie"]
        .partition(COOKIE_NAME)[2]
    )
    owner.post("/api/v1/auth/logout")
    stranger = make_client()  # the same address: a proxy that was not declared
    for _ in range(40):
        stranger.post("/api/v1/auth/login", json={"login": "ada", "password": "wrong"})
    refusal(stranger.post("/api/v1/auth/login", json={"login": "ada", "password": PASSWORD}), 429)
    assert owner.post("/api/v1/auth/login", json={"login": "ada", "password": PASSWORD}).status_code == 200


def test_a_long_email_is_refused_at_once() -> None:
    email = "a" * 50_000 + "@example.org"
    body = {"username": "ada", "email": email, "password": PASSWORD}
    answer = make_client().post("/api/v1/auth/signup", json=body)
    assert "at most 254 characters" in refusal(answer, 422)["detail"]
