"""What fails unexpectedly is one bounded record, answered without delay, and reveals no secret."""

import json
import logging
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import rich.traceback
import structlog
from fastapi.testclient import TestClient
from sqlalchemy.exc import InterfaceError, InternalError, OperationalError, StatementError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from orchestrator import logs
from orchestrator.api.app import create_api
from orchestrator.services.auth import accounts, sessions
from orchestrator.settings import get_settings
from tests.api_client import PASSWORD, SITE, make_client, refusal, sign_in

MARK = "MyRealPassw0rd-Z"


@pytest.fixture
def logged(home: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[pytest.CaptureFixture[str]]:
    """Logging as the web process has it, readable by `readouterr`."""
    root, before, hook = logging.getLogger(), structlog.get_config(), sys.excepthook
    handlers, level = root.handlers[:], root.level
    logs.configure_logging("web")
    yield capsys
    root.handlers, sys.excepthook = handlers, hook
    root.setLevel(level)
    logging.captureWarnings(False)
    structlog.configure(**before)


def failing_client(error: Exception) -> TestClient:
    """The API with a route that fails far down, with a password in each frame."""
    app = create_api()

    def deep(password: str, depth: int) -> None:
        if depth:
            deep(password, depth - 1)
        raise error

    @app.post("/api/v1/broken")
    def broken(body: dict[str, Any]) -> None:
        deep(body["password"], 60)

    return TestClient(app, base_url=SITE, raise_server_exceptions=False)


def test_an_unexpected_error_is_one_bounded_record_and_holds_nothing_up(
    logged: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[object] = []  # rich draws the values of all variables, which takes a minute of a core
    monkeypatch.setattr(rich.traceback.Traceback, "extract", lambda *given, **_named: drawn.append(given))
    client = failing_client(RuntimeError("It broke."))
    client.post("/api/v1/broken", json={"password": MARK})
    logged.readouterr()
    answer = client.post("/api/v1/broken", json={"password": MARK})
    written = logged.readouterr().err
    assert refusal(answer, 500)["detail"].startswith("Something went wrong on our side.")
    assert not drawn
    assert len(written) < 10_000
    assert written.count("request.unexpected_error") == 1
    assert written.count("request.refused") == 1
    assert "RuntimeError: It broke." in written
    assert MARK not in written
    assert f"request_id={answer.headers['x-request-id']}" in written


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (OperationalError("SELECT 1", {}, Exception("database is locked")), 503),
        (OperationalError("SELECT 1", {}, Exception("connection refused")), 503),
        (InterfaceError("SELECT 1", {}, Exception("connection is closed")), 503),
        (UnicodeEncodeError("utf-8", "a\ud800", 1, 2, "surrogates not allowed"), 422),
        (InternalError("UPDATE", {}, Exception("cannot execute UPDATE in a read-only transaction")), 503),
        (OperationalError("SELECT 1", {}, Exception("canceling statement due to statement timeout")), 503),
        (PoolTimeout("QueuePool limit of size 5 overflow 10 reached"), 503),
        (OperationalError("SELECT 1", {}, Exception("database or disk is full")), 507),
        (OperationalError("SELECT 1", {}, Exception("no such table: users")), 500),
        (StatementError("too large", "SELECT 1", {}, OverflowError("too large for SQLite")), 422),
    ],
)
def test_an_outage_of_the_database_is_a_sentence(
    logged: pytest.CaptureFixture[str], error: Exception, status: int
) -> None:
    answer = failing_client(error).post("/api/v1/broken", json={"password": MARK})
    body = refusal(answer, status)
    if status == 503:
        assert int(answer.headers["retry-after"]) > 0
        assert "in a moment" in body["detail"]
        written = logged.readouterr().err
        assert "Traceback" not in written
        assert len(written.splitlines()) == 2


def test_a_refusal_is_one_line(logged: pytest.CaptureFixture[str]) -> None:
    refusal(make_client().get("/api/v1/jobs?secret=x", headers={"authorization": f"Bearer lrl_{MARK}"}), 401)
    written = logged.readouterr().err.splitlines()
    assert len(written) == 1
    assert "request.refused" in written[0]
    assert "path=/api/v1/jobs " in written[0]
    assert "status=401" in written[0]
    assert MARK not in written[0]


def test_the_request_id_of_a_proxy_is_used(home: Path) -> None:
    client = make_client()
    assert (
        client.get("/api/v1/health", headers={"x-request-id": "proxy-12345"}).headers["x-request-id"] == "proxy-12345"
    )
    forged = client.get("/api/v1/health", headers={"x-request-id": "a b"}).headers["x-request-id"]
    assert forged != "a b"
    assert len(forged) == 16


FIELDS: list[tuple[str, str, dict[str, Any]]] = [
    ("POST", "/auth/login", {"login": MARK, "password": MARK}),
    ("POST", "/auth/login", {"login": f"{MARK}\ud800", "password": f"{MARK}\ud800"}),
    ("POST", "/auth/login", {"login": "ada", "password": MARK, "remember": MARK}),
    ("POST", "/auth/login", {"login": [MARK], "password": {"a": MARK}}),
    ("POST", "/auth/signup", {"username": "ada", "email": f"{MARK}@example.org", "password": MARK}),
    ("POST", "/auth/signup", {"username": MARK, "email": f"x{MARK}@example.org", "password": MARK}),
    ("POST", "/auth/signup", {"username": "\0", "email": MARK, "password": MARK}),
    ("PATCH", "/me", {"username": MARK, "email": MARK}),
    ("POST", "/me/password", {"current": MARK, "new": MARK}),
    ("POST", "/me/password", {"current": PASSWORD, "new": f"{MARK}-{MARK}"}),
    ("POST", "/tokens", {"name": MARK, "scopes": ["read"]}),
    ("POST", "/tokens", {"name": MARK, "scopes": [MARK]}),
    ("POST", "/credentials", {"kind": "s3", "name": MARK, "values": {"access_key": MARK, "secret_key": MARK}}),
    ("POST", "/credentials", {"kind": "s3", "name": "a", "values": {"access_key": MARK, "secret_key": f"{MARK}\0"}}),
    ("POST", "/credentials", {"kind": "gs", "name": "b", "values": {"service_account": MARK}}),
    ("POST", "/credentials", {"kind": "hub", "name": "c", "values": {"token": f"hf_{MARK}"}}),
    ("POST", "/credentials", {"kind": MARK, "name": MARK, "values": {MARK: MARK}}),
    ("PUT", "/notifications/settings", {"webhook_url": f"https://hooks.example.org/{MARK}", "email": False}),
    ("PUT", "/notifications/settings", {"webhook_url": f"http://user:{MARK}@127.0.0.1/", "kinds": [MARK]}),
    ("POST", "/hub/size", {"repo": "a/b", "token": f"hf_{MARK}"}),
    ("POST", "/models", {"name": "m", "source": {"type": "hub", "repo": "a/b", "token": MARK}}),
    ("POST", "/datasets", {"name": "d", "source": {"type": "s3", "uri": f"s3://u:{MARK}@b/c", "secret_key": MARK}}),
    ("POST", "/datasets", {"name": "d", "source": {"type": "url", "url": f"https://u:{MARK}@example.org/a.zip"}}),
]


def test_no_field_of_any_request_reaches_the_log(logged: pytest.CaptureFixture[str]) -> None:
    client = sign_in("ada")
    logged.readouterr()
    for method, path, body in FIELDS:
        sent = json.dumps(body).encode()
        client.request(method, f"/api/v1{path}", content=sent, headers={"content-type": "application/json"})
    client.cookies.set("loreel_session", MARK)
    for path in ("/api/v1/me", f"/api/session?ticket={MARK}&next=/{MARK}", "/api/v1/jobs?q=a"):
        client.get(path, headers={"authorization": f"Bearer lrl_{MARK}", "x-api-key": MARK}, follow_redirects=False)
    streams = logged.readouterr()
    assert "request.refused" in streams.err
    assert MARK not in streams.err + streams.out


def test_a_database_that_breaks_at_a_login_names_nobody(
    logged: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_args: object, **_named: object) -> None:
        raise OperationalError("SELECT 1 WHERE login = ?", {"password": MARK}, Exception("database is locked"))

    monkeypatch.setattr(sessions, "log_in", broken)
    monkeypatch.setattr(accounts, "sign_up", broken)
    client = make_client()
    refusal(client.post("/api/v1/auth/login", json={"login": MARK, "password": MARK}), 503)
    body = {"username": MARK, "email": f"{MARK}@example.org", "password": MARK}
    refusal(client.post("/api/v1/auth/signup", json=body), 503)
    streams = logged.readouterr()
    assert MARK not in streams.err + streams.out
    assert get_settings().log_format == "console"
