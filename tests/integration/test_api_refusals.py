"""Refusals that Starlette makes have the API's own form too: ranges of files, verbs, foreign hosts."""

from pathlib import Path

import pytest
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
        refusal(client.get(address, headers={"range": "bytes=one-two"}), 400)


@pytest.mark.parametrize(
    ("header", "status", "text"),
    [
        ("bytes=0-0", 206, "0"),
        ("BYTES=8-", 206, "89"),
        ("bytes=-3", 206, "789"),
        ("bytes=-99", 206, "0123456789"),
        ("bytes=2-99999999999999999999999", 206, "23456789"),
        ("bytes=0-1,1-3", 206, "0123"),
        ("bytes=7-8, 99-100", 206, "78"),
        ("bytes= 1-2 ,", 206, "12"),
        ("lines=1", 200, "0123456789"),
        ("bytes=10-", 416, ""),
        ("bytes=99999999999999999999999-", 416, ""),
        ("bytes=-0", 416, ""),
        ("bytes=12-13,20-", 416, ""),
        ("bytes=5-2", 400, ""),
        ("bytes=0-1,5-2", 400, ""),
        ("bytes=+1-2", 400, ""),
        ("bytes=1_0-", 400, ""),
        ("bytes=--5", 400, ""),
        ("bytes=\u00b2-", 400, ""),
        ("bytes=" + "9" * 5000 + "-", 400, ""),
        ("bytes=", 400, ""),
        ("bytes=-", 400, ""),
        ("bytes", 400, ""),
        ("", 400, ""),
    ],
)
def test_ranges_are_answered_as_the_standard_says(home: Path, header: str, status: int, text: str) -> None:
    path = home / "a.txt"
    path.write_text("0123456789")
    answer = client_of_a_file(path).get("/api/v1/plain", headers=[(b"range", header.encode("latin-1"))])
    if status >= 400:
        refusal(answer, status)
    else:
        assert (answer.status_code, answer.text) == (status, text)


def test_several_ranges_arrive_in_parts(home: Path) -> None:
    path = home / "a.txt"
    path.write_text("0123456789")
    client = client_of_a_file(path)
    answer = client.get("/api/v1/plain", headers={"range": "bytes=0-1,5-6,99-"})
    assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (206, "multipart/byteranges")
    assert [line for line in answer.text.splitlines() if line.startswith("Content-Range")] == [
        "Content-Range: bytes 0-1/10",
        "Content-Range: bytes 5-6/10",
    ]
    many = client.get("/api/v1/plain", headers={"range": "bytes=" + ",".join("0-1" for _ in range(2000))})
    assert (many.status_code, len(many.content)) == (200, 10)


def test_a_file_that_the_client_has_is_not_sent_again(home: Path) -> None:
    path = home / "a.txt"
    path.write_text("0123456789")
    client = client_of_a_file(path)
    first = client.get("/api/v1/plain")
    tag, date = first.headers["etag"], first.headers["last-modified"]
    for condition in ({"if-none-match": f'"x", W/{tag}'}, {"if-none-match": "*"}, {"if-modified-since": date}):
        again = client.get("/api/v1/plain", headers={**condition, "range": "bytes=50-"})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag), condition
    old = "Mon, 01 Jan 2001 00:00:00 GMT"
    for condition in (
        {"if-none-match": '"x"'},
        {"if-none-match": '"x"', "if-modified-since": date},
        {"if-modified-since": old},
        {"if-modified-since": "yesterday"},
        {"if-match": tag, "if-unmodified-since": old},
        {"if-range": '"x"', "range": "bytes=0-1"},
        {"accept": "image/png"},
    ):
        answer = client.get("/api/v1/plain", headers=condition)
        assert (answer.status_code, len(answer.content)) == (200, 10), condition
    for condition in ({"if-match": '"x"'}, {"if-match": f"W/{tag}"}, {"if-unmodified-since": old}):
        refusal(client.get("/api/v1/plain", headers=condition), 412)


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
