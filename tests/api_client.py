"""Scripts and browsers for the tests of the REST API: the real app over a real database and Redis."""

from typing import Any

from fastapi.testclient import TestClient

from tests.openapi import deviations, is_json, shared_api

SITE = "http://localhost:3000"
PASSWORD = "four-plain-words-here"


def make_client(**headers: str) -> TestClient:
    """A client without a login. Each of its answers must be one that the OpenAPI document describes."""
    client = TestClient(shared_api(), base_url=SITE, headers=headers, raise_server_exceptions=False)
    client.event_hooks = {"response": [check_is_documented]}
    return client


def check_is_documented(answer: Any) -> None:
    """Fails where the OpenAPI document does not describe the status, the media type or a field of an answer."""
    kind = answer.headers.get("content-type", "")
    if is_json(kind):
        answer.read()
    body = answer.json() if is_json(kind) and answer.content else None
    if found := deviations(answer.request.method, answer.request.url.path, answer.status_code, kind, body):
        raise AssertionError(found)


def sign_in(name: str) -> TestClient:
    """A browser of a new account, on our own pages."""
    client = make_client(origin=SITE)
    body = {"username": name, "email": f"{name}@example.org", "password": PASSWORD}
    assert client.post("/api/v1/auth/signup", json=body).status_code == 201
    answer = client.post("/api/v1/auth/login", json={"login": name, "password": PASSWORD})
    assert answer.status_code == 200, answer.text
    return client


def refusal(answer: Any, status: int) -> dict[str, Any]:
    """The problem document of a refusal: right type, a sentence, no traceback."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert set(body) <= {"type", "title", "status", "detail", "errors"}
    assert body["status"] == status
    assert body["detail"].endswith((".", "`."))
    assert "Traceback" not in answer.text
    return body
