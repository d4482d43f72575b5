"""A token for asking models only, as a chat front end gets it: it chats, and reads or changes nothing else."""

import re

import pytest
from fastapi.testclient import TestClient

from orchestrator.api.app import create_api
from orchestrator.api.openai.app import create_openai
from tests.api_client import make_client

_ALLOWED = {
    "/api/v1/infer",
    "/api/v1/playground/clips",
    "/api/v1/playground/clips/{scratch_id}",
    "/api/v1/playground/clips/{scratch_id}/preview",
    "/api/v1/playground/clips/{scratch_id}/thumbnail",
    "/v1/models",
    "/v1/models/{name}",
    "/v1/chat/completions",
}


pytestmark = pytest.mark.usefixtures("builtin_models")


def token(client: TestClient, *scopes: str) -> TestClient:
    made = client.post("/api/v1/tokens", json={"name": "t", "scopes": scopes})
    assert made.status_code == 201, made.text
    assert made.json()["scopes"] == list(scopes)
    return make_client(authorization=f"Bearer {made.json()['token']}")


def _routes() -> list[tuple[str, str]]:
    """(method, path) of every operation, also of OpenAI's API."""
    apps = (("", create_api()), ("/v1", create_openai()))
    paths = [(prefix + path, item) for prefix, app in apps for path, item in app.openapi()["paths"].items()]
    return [(method.upper(), path) for path, item in paths for method in item]


def test_it_asks_models(ada_client: TestClient) -> None:
    chat = token(ada_client, "infer")
    [model] = chat.get("/v1/models").json()["data"]
    assert chat.get(f"/v1/models/{model['id']}").status_code == 200
    content = [{"type": "video_url", "video_url": {"url": "https://example.org/a.mp4"}}]
    body = {"model": model["id"], "messages": [{"role": "user", "content": content}]}
    assert chat.post("/v1/chat/completions", json=body).status_code == 503  # let in; no worker is there
    assert chat.post("/api/v1/infer", json={"model_id": "1", "video_url": "x"}).status_code == 422
    assert chat.post("/api/v1/playground/clips?name=a.mp4", content=b"no film").status_code == 422


def test_it_does_nothing_else(ada_client: TestClient) -> None:
    chat, reader = token(ada_client, "infer"), token(ada_client, "read")
    routes = _routes()
    assert len(routes) > 60
    assert {path for _, path in routes} >= _ALLOWED
    for method, path in routes:
        address = re.sub(r"\{[^}]+\}", "1", path)
        answer = chat.request(method, address)
        asks_who = make_client().request(method, address).status_code in (401, 403)
        if asks_who and path not in _ALLOWED:
            assert answer.status_code == 403, (method, path, answer.text)
        if path in _ALLOWED:
            assert answer.status_code not in (401, 403), (method, path, answer.text)
            reads = method in ("GET", "HEAD")
            assert (reader.request(method, address).status_code == 403) is not reads, (method, path)


def test_scopes_are_chosen_from_those_that_exist(ada_client: TestClient) -> None:
    for scopes in ([], ["admin"], ["infer", "admin"]):
        answer = ada_client.post("/api/v1/tokens", json={"name": "t", "scopes": scopes})
        assert answer.status_code == 422
        assert "read, write and infer" in answer.text
    both = token(ada_client, "read", "infer")
    assert both.get("/api/v1/datasets").status_code == 200
    assert both.post("/api/v1/datasets", json={"name": "x"}).status_code == 403
    assert ada_client.post("/api/v1/tokens", json={"name": "t"}).json()["scopes"] == ["read", "write"]
