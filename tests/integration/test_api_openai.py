"""The door for OpenAI's clients without a worker: who gets in, and refusals in the shape that their clients read."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.api_client import make_client

pytestmark = pytest.mark.usefixtures("builtin_models")


def body(url: str, model: str = "", **more: Any) -> dict[str, Any]:
    content = [{"type": "text", "text": "What moves?"}, {"type": "video_url", "video_url": {"url": url}}]
    return {"model": model, "messages": [{"role": "user", "content": content}], **more}


def refused(answer: Any, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert set(answer.json()) == {"error"}
    error = answer.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert "Traceback" not in answer.text
    return error


def test_only_who_is_signed_in_gets_in(ada_client: TestClient) -> None:
    for stranger in (make_client(), make_client(authorization="Bearer lrl_wrong")):
        assert refused(stranger.get("/v1/models"), 401)["code"] == "invalid_api_key"
        assert (
            refused(stranger.post("/v1/chat/completions", json=body("clip:1")), 401)["type"] == "authentication_error"
        )
    made = ada_client.post("/api/v1/tokens", json={"name": "t", "scopes": ["read"], "expires_days": 1}).json()
    reader = make_client(authorization=f"Bearer {made['token']}")
    assert reader.get("/v1/models").status_code == 200
    assert refused(reader.post("/v1/chat/completions", json=body("clip:1")), 403)["type"] == "permission_error"
    # Another site's page must not ask with our cookie.
    foreign = ada_client.post("/v1/chat/completions", json=body("clip:1"), headers={"origin": "http://evil.example"})
    refused(foreign, 403)


def test_refusals_say_what_to_do(ada_client: TestClient) -> None:
    [model] = ada_client.get("/v1/models").json()["data"]
    assert model["object"] == "model"
    assert ada_client.get(f"/v1/models/{model['id']}").json() == model
    chat = "/v1/chat/completions"

    def post(**given: Any) -> Any:
        return ada_client.post(chat, json=given)

    assert refused(post(**body("clip:1", "gpt-5")), 404)["code"] == "model_not_found"
    for url in (
        "http://127.0.0.1:9/a.mp4", "http://169.254.169.254/latest", "http://2130706433/a.mp4", "https://localhost/a.mp4",
        "https://studio.internal/a.mp4",
    ):  # fmt: skip
        error = refused(post(**body(url, model["id"])), 400)
        assert (error["param"], "private network" in error["message"]) == ("video_url", True), url
    assert "begins with https" in refused(post(**body("file:///etc/passwd", model["id"])), 400)["message"]
    refused(post(**body("clip:999", model["id"])), 404)
    assert "base64" in refused(post(**body("data:video/mp4;base64,???", model["id"])), 400)["message"]
    assert "not a video" in refused(post(**body("data:video/mp4;base64,bm8gZmlsbQ==", model["id"])), 400)["message"]
    assert "data:video" in refused(post(**body("data:text/html;base64,bm8=", model["id"])), 400)["message"]
    refused(post(model=model["id"], messages=[{"role": "user", "content": "no clip"}]), 400)
    refused(post(model=model["id"], messages=[]), 400)
    refused(ada_client.post(chat, content=b"{not json"), 400)
    refused(post(**body("clip:1", model["id"], n=3)), 400)
    refused(post(**body("clip:1", model["id"], max_tokens=-1)), 400)
    refused(ada_client.get("/v1/embeddings"), 404)


def test_a_clip_on_the_web_waits_for_a_worker(ada_client: TestClient) -> None:
    [model] = ada_client.get("/v1/models").json()["data"]
    asked = body("https://example.org/a.mp4", model["id"], stream=True, max_tokens=4096)
    answer = ada_client.post("/v1/chat/completions", json=asked)
    assert "No worker" in refused(answer, 503)["message"]
