"""PostgreSQL and Redis are away together in the middle of a real training, for longer than a cut-off run may go on.

`LOREEL_TEST_OUTAGE_S=300` lasts as long as a failover that went wrong, with the default limit of 60 s.
"""

import json
import os
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from sqlmodel import col, select

from benchmarks.studio import free_port
from orchestrator.domain.training_jobs import JobEvent
from orchestrator.services import db
from orchestrator.services.attempts.folders import attempt_folder
from tests.api_client import PASSWORD
from tests.forked_processes import AnyProcess
from tests.integration.test_outages import finish, lines, losses_of
from tests.integration.test_queue_real import logged, real_things, real_worker, start
from tests.postgres import PostgresProcess
from tests.studio import RedisProcess, forget_caches, job_of, make_person, start_controller, start_process, until

Processes = list[AnyProcess]
AWAY_S = float(os.environ.get("LOREEL_TEST_OUTAGE_S", "14"))
IS_LONG = AWAY_S > 60
LIMIT_S = 60.0 if IS_LONG else 3.0
EPOCHS = 40 if IS_LONG else 3
MOST_S = 20.0
"""Seconds of an answer: ten times what is promised, for a busy machine."""


@pytest.fixture
def web(
    home: Path,
    own_postgres: PostgresProcess,
    redis_server: RedisProcess,
    processes: Processes,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[httpx.Client]:
    """A browser of a real server, with worker and controller, on stores that the test may stop."""
    monkeypatch.setenv("LOREEL_DATABASE_URL", own_postgres.url)
    monkeypatch.setenv("LOREEL_ISOLATION_LIMIT_S", str(LIMIT_S))
    monkeypatch.setenv("LOREEL_STOP_GRACE_S", "20")
    forget_caches()
    db.run_migrations()
    real_worker(processes, home)
    start_controller(processes, home)
    port = free_port()
    served = (
        "-m",
        "granian",
        "--interface",
        "asgi",
        "--port",
        str(port),
        "--factory",
        "tests.fakes.edge_server:create",
    )
    processes.append(start_process(*served, log=home / "web.log"))
    with httpx.Client(base_url=f"http://localhost:{port}", headers={"Origin": "http://localhost:3000"}) as client:
        until(lambda: status_of(client, "/readyz") == 200, 90, "the web is ready")
        body = {"username": "bob", "email": "bob@example.org", "password": PASSWORD}
        assert client.post("/api/v1/auth/signup", json=body).status_code == 201
        assert client.post("/api/v1/auth/login", json={"login": "bob", "password": PASSWORD}).status_code == 200
        yield client
    db.engine().dispose()


def status_of(client: httpx.Client, path: str) -> int:
    try:
        return client.get(path).status_code
    except httpx.TransportError:
        return 0


def ask_everything(web: httpx.Client) -> list[float]:
    """Asks the web about everything while both stores are away; the seconds of each answer."""
    seconds = list[float]()
    for path in ("/livez", "/readyz", "/api/v1/jobs"):
        began = time.monotonic()
        answer = web.get(path, timeout=60)
        seconds.append(time.monotonic() - began)
        if path == "/livez":
            assert answer.status_code == 200
        elif path == "/readyz":
            assert answer.status_code == 503
            missing = {name for name, word in answer.json()["checks"].items() if word != "ok"}
            assert missing == {"database", "redis", "schema"}
        else:
            assert answer.status_code == 503, answer.text
            assert int(answer.headers["Retry-After"]) > 0
            assert answer.json()["detail"].endswith("try again in a moment.")
    return seconds


@pytest.mark.slow
@pytest.mark.timeout(7_200 if IS_LONG else 900)
def test_both_stores_away_at_once_cost_no_step_and_no_attempt(
    web: httpx.Client, home: Path, own_postgres: PostgresProcess, redis_server: RedisProcess
) -> None:
    ada = make_person("ada")
    things = real_things(ada)
    calm = start(ada, things, epochs=EPOCHS)
    until(lambda: job_of(calm).finished_at, 1_800, "the undisturbed training ends", pause_s=0.3)
    struck = start(ada, things, epochs=EPOCHS)
    until(lambda: job_of(struck).step >= 2, 120, "the training has begun")
    own_postgres.stop()
    redis_server.stop()
    began, seconds = time.monotonic(), list[float]()
    while time.monotonic() - began < AWAY_S:
        seconds += ask_everything(web)
        time.sleep(0.5)
    redis_server.start()
    own_postgres.start()
    until(lambda: status_of(web, "/readyz") == 200, 60, "the web is ready again")
    until(lambda: job_of(struck).finished_at, 1_800, "the struck training ends", pause_s=0.3)
    finish(home, struck)

    assert job_of(struck).attempt == 1, logged(struck)
    losses = losses_of(ada, struck)
    assert losses == losses_of(ada, calm)
    assert [step for step, _ in losses] == list(range(1, len(losses) + 1)) or IS_LONG  # a long curve is thinned
    records = [json.loads(line) for line in (attempt_folder(struck, 1) / "metrics.jsonl").read_text().splitlines()]
    trained = [record["step"] for record in records if record["kind"] == "metric" and record["phase"] == "train"]
    assert trained == list(range(1, job_of(struck).total_steps + 1))
    with db.session_scope() as session:
        kinds = session.exec(select(JobEvent.kind).where(JobEvent.job_id == struck).order_by(col(JobEvent.id))).all()
    assert list(kinds) == ["queued", "starting", "running", "waited", "exported", "completed"], logged(struck)
    assert statistics.median(seconds) < MOST_S / 2
    assert max(seconds) < MOST_S
    for name in ("worker.log", "controller.log", "web.log"):
        text = "\n".join(lines(home, name))
        assert "Traceback" not in text, text[-4000:]
        assert name == "web.log" or len(lines(home, name)) < 60, text[-4000:]
    assert 6 <= "\n".join(lines(home, "web.log")).count("readiness.") < 13  # each of three: away, and back
    assert "controller.waiting" in "\n".join(lines(home, "controller.log"))
    slowest = f"{max(seconds):.2f} s of {len(seconds)} answers, median {statistics.median(seconds):.3f} s"
    print(f"Away for {AWAY_S:g} s; slowest {slowest}; {len(trained)} steps, each once.")
