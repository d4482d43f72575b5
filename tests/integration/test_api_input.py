"""One door for input: odd bodies, texts, numbers and cursors are refused alike, on SQLite and on PostgreSQL."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from orchestrator.api.checked_route import ANONYMOUS_BYTES, JSON_BYTES
from orchestrator.domain.plain_text import MAX_DEPTH
from orchestrator.services import db
from tests.api_client import make_client, refusal, sign_in
from tests.studio import forget_caches

HEADERS = {"content-type": "application/json"}


@pytest.fixture(params=["sqlite", "postgresql"])
def client(request: pytest.FixtureRequest, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    """A signed-in client, over each database."""
    if request.param == "postgresql":
        monkeypatch.setenv("LOREEL_DATABASE_URL", request.getfixturevalue("postgres_url"))
        forget_caches()
        db.run_migrations()
    yield sign_in("ada")
    db.engine().dispose()
    if request.param == "postgresql":
        monkeypatch.delenv("LOREEL_DATABASE_URL")
        forget_caches()


def send(client: TestClient, method: str, path: str, body: str | bytes) -> Any:
    raw = body.encode("utf-8", "surrogatepass") if isinstance(body, str) else body
    return client.request(method, f"/api/v1{path}", content=raw, headers=HEADERS)


@pytest.fixture
def made(client: TestClient) -> dict[str, str]:
    """What the addresses below name."""
    dataset = client.post("/api/v1/datasets", json={"name": "Motions", "source": {"type": "upload"}})
    assert dataset.status_code == 201, dataset.text
    return {"dataset": dataset.json()["id"]}


NOT_TEXT = ['"\\ud800"', '"a\\udfffb"', '"a\\u0000b"', '"\\ud83d"']
BODIES = [
    ("POST", "/auth/login", '{"login": %s, "password": "a"}'),
    ("POST", "/auth/login", '{"login": "a", "password": %s}'),
    ("POST", "/auth/signup", '{"username": %s, "email": "a@example.org", "password": "four-plain-words"}'),
    ("PATCH", "/me", '{"username": %s}'),
    ("POST", "/datasets", '{"name": %s}'),
    ("POST", "/datasets", '{"name": "a", "description": %s}'),
    ("POST", "/datasets", '{"name": "a", "source": {"type": %s}}'),
    ("POST", "/datasets", '{"name": "a", "source": {%s: "url"}}'),
    ("PATCH", "/datasets/{dataset}", '{"description": %s}'),
    ("POST", "/credentials", '{"kind": "hub", "name": %s, "values": {"token": "hf_x"}}'),
    ("POST", "/models", '{"name": %s, "source": {"type": "upload"}}'),
    ("POST", "/jobs/preflight", '{"dataset_id": 1, "model_id": 1, "qlora": {"target_modules": [%s]}}'),
    ("POST", "/jobs", '{"dataset_id": 1, "model_id": 1, "output_name": %s}'),
    ("POST", "/sweeps", '{"dataset_id": 1, "model_id": 1, "sweep": {"optim.epochs": [%s]}}'),
    ("POST", "/infer", '{"model_id": 1, "prompt": %s}'),
    ("PUT", "/notifications/settings", '{"webhook_url": %s}'),
]


def test_texts_that_are_no_texts_are_refused(client: TestClient, made: dict[str, str]) -> None:
    for text in NOT_TEXT:
        for method, path, body in BODIES:
            refusal(send(client, method, path.format(**made), body.replace("%s", text)), 422)


@pytest.mark.parametrize(
    "body",
    [
        '{"name": "a", "source": {"type": "url", "n": NaN}}',
        '{"name": "a", "source": {"type": "url", "n": Infinity}}',
        '{"name": "a", "source": {"type": "url", "n": 1e999}}',
        '{"name": "a", "source": {"type": "url", "n": ' + "9" * 5_000 + "}}",
        '{"name": "a", "source": ' + '{"a":' * (MAX_DEPTH + 2) + "1" + "}" * (MAX_DEPTH + 3),
        "[" * 100_000 + "]" * 100_000,
        '{"a":' * 50_000 + "1" + "}" * 50_000,
        b'{"name": "\xff\xfe"}',
        b'{"name": "\xed\xa0\x80"}',
        '{"name": ',
        '"name"',
        "",
    ],
)
def test_bodies_that_nothing_can_read_are_refused(home: Path, body: str | bytes) -> None:
    refusal(send(sign_in("ada"), "POST", "/datasets", body), 422)


def test_addresses_with_nul_are_refused(client: TestClient) -> None:
    for path in (
        "/jobs?q=%00", "/jobs?owner=a%00", "/jobs?status=%00", "/datasets?q=a%00b", "/models?sort=%00",
        "/datasets/1/clips?label=%00", "/jobs/1/logs?q=%00", "/uploads/%00", "/playground/clips/%00",
        "/jobs/1/artifacts/%00", "/adapters?name=%00", "/jobs?%00=1", "/workers/%00/drain",
    ):  # fmt: skip
        method = "POST" if path.endswith("drain") else "GET"
        assert client.request(method, f"/api/v1{path}").status_code in (404, 405, 422), path


TOO_LARGE = (2**31, 2**40, 2**63 - 1, 2**63, 10**30)


def test_numbers_that_no_column_holds_are_refused(client: TestClient) -> None:
    for number in TOO_LARGE:
        for path in (
            f"/datasets/{number}", f"/jobs/{number}", f"/models/{number}", f"/clips/{number}", f"/adapters/{number}",
            f"/jobs?dataset={number}", f"/adapters?job_id={number}", f"/uploads?dataset_id={number}",
            f"/jobs/1/metrics?after_seq={number}", f"/jobs/1/metrics?first_step={number}&last_step={number}",
            f"/compare?ids={number}", f"/notifications?before={number}", f"/clips/1/seen?model_id={number}",
        ):  # fmt: skip
            refusal(client.get(f"/api/v1{path}"), 422)
        assert client.get(f"/api/v1/jobs?q={number}").json()["items"] == []
        for path, body in (
            ("/notifications/read", {"ids": [number]}),
            ("/jobs/preflight", {"dataset_id": number, "model_id": 1}),
            ("/jobs", {"dataset_id": 1, "model_id": number}),
            ("/infer", {"model_id": number}),
        ):
            refusal(client.post(f"/api/v1{path}", json=body), 422)
        metadata = (
            f"filename {base64.b64encode(b'a.mp4').decode()},dataset_id {base64.b64encode(b'%d' % number).decode()}"
        )
        refusal(client.post("/api/v1/uploads", headers={"upload-length": "1", "upload-metadata": metadata}), 422)


def test_true_and_false_are_no_numbers(home: Path) -> None:
    client = sign_in("ada")
    for path, body in (
        ("/jobs", {"dataset_id": True, "model_id": 1}),
        ("/jobs", {"dataset_id": 1, "model_id": 1, "dataset_version": True}),
        ("/rehearsals", {"dataset_id": 1, "model_id": False}),
        ("/datasets/1/splits", {"share": 0.2, "seed": True}),
        ("/datasets/1/read", {"level": True}),
        ("/tokens", {"name": "a", "expires_days": True}),
        ("/infer", {"model_id": 1, "max_tokens": True}),
    ):
        assert "true and false" in refusal(client.post(f"/api/v1{path}", json=body), 422)["detail"], path
    checked = client.post("/api/v1/jobs/preflight", json={"dataset_id": 1, "model_id": 1, "optim": {"epochs": True}})
    assert [problem["field"] for problem in checked.json()["problems"]] == ["optim.epochs"]


def test_a_body_where_none_is_read_is_limited_too(home: Path) -> None:
    client = sign_in("ada")
    for verb, path in (("GET", "/me"), ("DELETE", "/jobs/1"), ("POST", "/jobs/1/stop")):
        refusal(client.request(verb, f"/api/v1{path}", content=b"x" * (2**20 + 1)), 413)


@pytest.mark.parametrize("text", ["²", "①", "٣", "9" * 30, "-1", "1.5", "a"])
def test_what_only_looks_like_a_number_is_none(home: Path, text: str) -> None:
    client = sign_in("ada")
    assert client.get("/api/v1/jobs", params={"q": text}).status_code == 200
    refusal(client.get("/api/v1/compare", params={"ids": text}), 422)
    refusal(client.post("/api/v1/uploads", headers={b"upload-length": text.encode()}), 422)


def test_upload_metadata_that_is_no_text_is_refused(home: Path) -> None:
    client = sign_in("ada")
    for value in ("filename é".encode(), b"filename \xff", b"filename !!", b"filename AGE="):
        headers = {b"upload-length": b"1", b"upload-metadata": value}
        refusal(client.post("/api/v1/uploads", headers=headers), 422)


def cursors(sort: str) -> list[str]:
    """Markers that no list of ours made."""
    values: list[Any] = [
        [sort, "a", 1], [sort, 5, 1], [sort, 1.5, 1], [sort, True, 1], [sort, None, 1], [sort, {"t": "never"}, 1],
        [sort, {"t": "2026-01-01"}, 2**70], [sort, {}, 1], [sort, [1], 1], ["name", "a", 1], [sort, "a"], {}, 3,
    ]  # fmt: skip
    origins = ["datasets", "models", "training_jobs"]
    values += [
        [f"{origin} {sort}", value, row]
        for origin in origins
        for value, row in (("a", 2**40), (2**70, 1), (True, 1), (1.5, 1), ("\ud800", 1))
    ]
    values += [[f"datasets {sort}", {"t": "0001-01-01T00:00:00+23:59"}, 1], [f"datasets {sort}", "\0", 1]]
    made = [base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=") for value in values]
    bomb = base64.urlsafe_b64encode(b"[" * 2_900).decode()
    return [*made, "²", "a", "====", "é", bomb, base64.urlsafe_b64encode(b"\xff\xfe").decode()]


def test_foreign_cursors_are_refused(client: TestClient) -> None:
    for sort in ("-created_at", "name"):
        for cursor in cursors(sort):
            for path in ("/datasets", "/jobs", "/models", "/adapters"):
                answer = client.get(f"/api/v1{path}", params={"sort": sort, "cursor": cursor})
                assert answer.status_code == 422, (path, sort, cursor)


def test_own_cursors_lead_through_every_order(client: TestClient) -> None:
    for number in range(5):
        assert client.post("/api/v1/datasets", json={"name": f"Set {number}"}).status_code == 201
    for sort in ("name", "-created_at", "size_bytes", "-clip_count"):
        found, cursor = [], None
        while True:
            params = {"sort": sort, "limit": 2} | ({"cursor": cursor} if cursor else {})
            page = client.get("/api/v1/datasets", params=params).json()
            found += [item["id"] for item in page["items"]]
            cursor = page["next"]
            if cursor is None:
                break
        assert len(set(found)) == len(found) == page["total"]


def test_bodies_have_a_limit_before_they_are_read(home: Path) -> None:
    body = json.dumps({"login": "a" * ANONYMOUS_BYTES, "password": "b"}).encode()
    refusal(make_client().post("/api/v1/auth/login", content=body, headers=HEADERS), 413)
    client = sign_in("ada")
    large = json.dumps({"name": "a" * JSON_BYTES}).encode()
    refusal(client.post("/api/v1/datasets", content=large, headers=HEADERS), 413)


def test_a_body_without_a_length_has_the_same_limit(home: Path) -> None:
    read = 0

    def pieces() -> Iterator[bytes]:
        nonlocal read
        yield b'{"name": "'
        for _ in range(64):
            read += 2**18
            yield b"a" * 2**18
        yield b'"}'

    answer = sign_in("ada").post("/api/v1/datasets", content=pieces(), headers=HEADERS)
    refusal(answer, 413)


def test_a_long_email_is_refused_at_once(home: Path) -> None:
    body = {"username": "ada", "email": "a" * 60_000 + "@example.org", "password": "four-plain-words-here"}
    refusal(make_client().post("/api/v1/auth/signup", json=body), 422)


def test_an_output_name_has_no_line_end(home: Path) -> None:
    body = {"dataset_id": 1, "model_id": 1, "output_name": "nl-name\n"}
    problems = sign_in("ada").post("/api/v1/jobs/preflight", json=body).json()["problems"]
    assert [problem["field"] for problem in problems] == ["output_name"]
