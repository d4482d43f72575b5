"""`/livez` asks the process only; `/readyz` says which of the things it needs is missing, within two seconds."""

import asyncio
import dataclasses
import signal
import threading
from pathlib import Path

import pytest
from sqlalchemy import text
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient

from orchestrator.edge.probes import Probes
from orchestrator.services import db, postgres
from orchestrator.services.engine_purpose import Purpose
from orchestrator.stack import readiness
from orchestrator.stack.readiness import Check
from tests.api_client import make_client
from tests.outages import ERRORS
from tests.postgres import PostgresProcess
from tests.studio import RedisProcess, forget_caches, until


@pytest.fixture
def client() -> TestClient:
    return TestClient(Probes(PlainTextResponse("page")), base_url="http://10.0.0.3:3000")


@pytest.fixture(autouse=True)
def fresh_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """No answer is given twice, so that each request sees what a test has just changed."""
    monkeypatch.setattr(readiness, "_FRESH_S", -1.0)


@pytest.fixture
def ready(home: Path, redis_server: RedisProcess) -> Path:
    with db.session_scope() as session:
        session.connection().execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32))"))
        (head,) = readiness._heads()
        session.connection().execute(text("INSERT INTO alembic_version VALUES (:head)"), {"head": head})
    return home


def test_a_studio_that_has_everything_is_ready(ready: Path, client: TestClient) -> None:
    answer = client.get("/readyz")
    assert answer.status_code == 200, answer.text
    assert answer.json() == {
        "status": "ready",
        "checks": {"database": "ok", "redis": "ok", "schema": "ok", "storage": "ok"},
    }
    assert client.head("/readyz").status_code == 200
    assert client.post("/readyz").status_code == 405
    assert client.get("/other").text == "page"


def missing(client: TestClient) -> dict[str, str]:
    """What `/readyz` complains of."""
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    return {name: word for name, word in answer.json()["checks"].items() if word != "ok"}


def test_it_names_what_is_missing(ready: Path, redis_server: RedisProcess, client: TestClient) -> None:
    redis_server.stop()
    assert missing(client) == {"redis": "does not answer"}
    assert client.get("/livez").json() == {"status": "alive"}


def test_another_schema_is_not_ready(ready: Path, client: TestClient) -> None:
    with db.session_scope() as session:
        session.connection().execute(text("UPDATE alembic_version SET version_num = '0001'"))
    assert missing(client).keys() == {"schema"}


def test_a_disk_that_takes_nothing_is_not_ready(
    ready: Path, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(**_options: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(readiness.tempfile, "TemporaryFile", full)
    assert missing(client) == {"storage": "cannot be written to: No space left on device"}


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_a_database_that_is_away_is_not_ready(
    ready: Path, client: TestClient, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def away() -> None:
        raise error

    monkeypatch.setattr(readiness, "session_scope", away)
    assert missing(client) == {"database": "does not answer", "schema": "cannot be read"}


def test_frozen_stores_delay_no_answer(
    ready: Path, redis_server: RedisProcess, own_postgres: PostgresProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Each answer comes by the limit of the question itself: the database would be waited for longer than the test runs.
    limits = dataclasses.replace(postgres.LIMITS[Purpose.BACKGROUND], ping_s=600.0, answer_s=600.0)
    monkeypatch.setitem(postgres.LIMITS, Purpose.BACKGROUND, limits)
    monkeypatch.setenv("LOREEL_DATABASE_URL", own_postgres.url)
    forget_caches()
    db.run_migrations()
    client, api = TestClient(Probes(PlainTextResponse("page"))), make_client()
    assert client.get("/readyz").status_code == 200
    own_postgres.freeze()
    assert redis_server.process
    redis_server.process.send_signal(signal.SIGSTOP)
    try:
        for _ in range(2):
            found = missing(client)
            assert found.keys() == {"database", "redis", "schema"}
            assert found["database"] == found["schema"] == f"did not answer within {readiness.LIMIT_S:.0f} s"
        answer = api.get("/api/v1/health")
        assert answer.status_code == 503
        assert (answer.json()["database"], answer.json()["redis"]) == ("down", "down")
        assert client.get("/livez").status_code == 200
    finally:
        own_postgres.thaw()
        redis_server.process.send_signal(signal.SIGCONT)
    until(lambda: client.get("/readyz").status_code == 200, 120, pause_s=0.3)
    db.engine().dispose()


def test_waiting_callers_share_one_question() -> None:
    asked, go = [], threading.Event()

    def ask() -> str:
        asked.append(1)
        go.wait(5)
        return "ok"

    async def scene() -> list[str]:
        check = Check(ask)
        waiting = [asyncio.create_task(check.answer(0.2)) for _ in range(20)]
        late = await asyncio.gather(*waiting)
        go.set()
        return [*late, await check.answer(2.0)]

    answers = asyncio.run(scene())
    assert set(answers[:-1]) == {"did not answer within 0 s"}
    assert answers[-1] == "ok"
    assert len(asked) == 1
