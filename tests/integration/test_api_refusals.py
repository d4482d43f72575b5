"""Refusals that Starlette makes have the API's own form too: ranges of files, verbs, foreign hosts."""

from pathlib import Path

from fastapi.responses import FileResponse
from fastapi.testclient import TestClient

from orchestrator.api.app import create_api
from orchestrator.api.checked_route import expensive
from orchestrator.api.documented_route import documented_router
from orchestrator.api.serialization import AnyFile
from tests.api_client import SITE, make_client, refusal


def client_of_a_file(path: Path) -> TestClient:
    app, router = create_api(), documented_router()

    @router.get("/api/v1/plain")
    def plain() -> AnyFile:
        return FileResponse(path)

    @router.get("/api/v1/costly")
    @expensive
    def costly() -> AnyFile:
        return FileResponse(path)

    app.include_router(router)
    return TestClient(app, base_url=SITE)


def test_a_refused_range_is_a_problem_document(home: Path) -> None:
    path = home / "a.txt"
    path.write_text("0123456789")
    client = client_of_a_file(path)
    for address in ("/api/v1/plain", "/api/v1/costly"):
        part = client.get(address, headers={"range": "bytes=2-4"})
        assert (part.status_code, part.text) == (206, "234")
        assert client.get(address).text == "0123456789"
        beyond = client.get(address, headers={"range": "bytes=20-30"})
        refusal(beyond, 416)
        assert beyond.headers["content-range"] == "bytes */10"
        refusal(client.get(address, headers={"range": "lines=1"}), 400)


def test_allow_names_every_verb_of_an_address(home: Path) -> None:
    client = make_client()
    for address, verbs in (
        ("/api/v1/jobs/1", "DELETE, GET, PATCH"),
        ("/api/v1/jobs/preflight", "POST"),
        ("/api/v1/uploads/a", "DELETE, HEAD, PATCH"),
        ("/api/v1/datasets/1", "DELETE, GET, PATCH"),
        ("/api/v1/health", "GET"),
    ):
        answer = client.put(address)
        refusal(answer, 405)
        assert answer.headers["allow"] == verbs, address


def test_a_foreign_host_gets_a_problem_document(home: Path) -> None:
    assert "LOREEL_ALLOWED_HOSTS" in refusal(make_client(host="evil.example").get("/api/v1/health"), 421)["detail"]
