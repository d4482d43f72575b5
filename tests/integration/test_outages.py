"""PostgreSQL or Redis goes away in the middle of a real training: same attempt, no step lost, the same final loss."""

import dataclasses
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from orchestrator.domain.training_jobs import FINAL, JobStatus
from orchestrator.domain.users import Actor
from orchestrator.services import db, postgres
from orchestrator.services.attempts.folders import readable_folder
from orchestrator.services.engine_purpose import Purpose
from orchestrator.services.metrics.history import history
from tests.api_client import make_client, sign_in
from tests.forked_processes import AnyProcess
from tests.integration.test_queue_real import logged, real_things, real_worker, start
from tests.postgres import PostgresProcess
from tests.studio import RedisProcess, forget_caches, job_of, make_person, start_controller, until

Processes = list[AnyProcess]
AWAY_S = 15.0
EPOCHS = 2


@pytest.fixture
def studio(
    home: Path,
    own_postgres: PostgresProcess,
    redis_server: RedisProcess,
    processes: Processes,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Path]:
    """Worker and controller on a PostgreSQL and a Redis that the test may stop."""
    monkeypatch.setenv("LOREEL_DATABASE_URL", own_postgres.url.replace("+psycopg", "+pg8000"))  # a former address
    forget_caches()
    db.run_migrations()
    real_worker(processes, home)
    start_controller(processes, home)
    yield home
    db.engine().dispose()


def losses_of(actor: Actor, job_id: int) -> list[tuple[int, float]]:
    """Step and loss of each step in SQL."""
    with db.session_scope() as session:
        return [(int(step), loss) for step, loss in history(session, actor, job_id).series["loss"]]


def finish(home: Path, job_id: int) -> None:
    until(lambda: job_of(job_id).status in FINAL, 300, "the job ends", pause_s=0.3)
    assert job_of(job_id).status is JobStatus.COMPLETED, logged(job_id)


def strike(home: Path, job_id: int, stop: Callable[[], None], restart: Callable[[], None]) -> None:
    """Takes the store away for a while once the training has begun."""
    until(lambda: job_of(job_id).step >= 2, 120, "the training has begun")
    stop()
    time.sleep(AWAY_S)
    restart()


def lines(home: Path, name: str) -> list[str]:
    return (home / name).read_text().splitlines()


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_store_that_is_away_costs_no_step_and_no_attempt(
    studio: Path, own_postgres: PostgresProcess, redis_server: RedisProcess
) -> None:
    ada = make_person("ada")
    things = real_things(ada)
    calm = start(ada, things, epochs=EPOCHS)
    finish(studio, calm)
    client = make_client()

    def stop_postgres() -> None:
        own_postgres.stop()
        answer = client.get("/api/v1/jobs", headers={"Authorization": "Bearer lrl_x"})
        assert answer.status_code == 503, answer.text
        assert int(answer.headers["Retry-After"]) > 0
        assert "does not answer" in answer.json()["detail"]

    stores = ((stop_postgres, own_postgres.start), (redis_server.stop, redis_server.start))
    for stop, restart in stores:
        struck = start(ada, things, epochs=EPOCHS)
        strike(studio, struck, stop, restart)
        finish(studio, struck)
        job = job_of(struck)
        assert job.attempt == 1, logged(struck)
        assert losses_of(ada, struck) == losses_of(ada, calm)
        assert len(losses_of(ada, calm)) == job.total_steps == job.step
        trained = (readable_folder(struck, 1) / "metrics.jsonl").read_text()
        assert trained.count('"phase":"train"') + trained.count('"phase": "train"') == job.total_steps
    for name in ("worker.log", "controller.log"):
        text = "\n".join(lines(studio, name))
        assert "Traceback" not in text, text[-4000:]
        assert len(lines(studio, name)) < 60 * len(stores), text[-4000:]


def test_signing_in_is_refused_at_once_while_the_database_is_away(
    home: Path, own_postgres: PostgresProcess, redis_server: RedisProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOREEL_DATABASE_URL", own_postgres.url)
    # A statement would wait for its answer forever.
    limits = dataclasses.replace(postgres.LIMITS[Purpose.WEB], statement_s=0, answer_s=0)
    monkeypatch.setitem(postgres.LIMITS, Purpose.WEB, limits)
    forget_caches()
    db.set_purpose(Purpose.WEB)
    db.run_migrations()
    client = sign_in("ada")
    assert client.get("/api/v1/jobs").status_code == 200
    own_postgres.freeze()
    try:
        for _ in range(5):
            answer = client.get("/api/v1/jobs")
            assert answer.status_code == 503, answer.text
    finally:
        own_postgres.thaw()
        db.set_purpose(Purpose.BACKGROUND)
    own_postgres.stop()
    assert client.get("/api/v1/jobs").status_code == 503
    own_postgres.start()
    until(lambda: client.get("/api/v1/jobs").status_code == 200, 60)
    db.engine().dispose()
