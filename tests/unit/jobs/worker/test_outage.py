"""A worker while the database is away: its beats, its drain, its name and the jobs that it gives back."""

from types import SimpleNamespace
from typing import Any, cast

import pytest
import structlog
from rq.executions import Execution

from jobs.telemetry.device import Device
from jobs.worker import heartbeat as heartbeat_module
from jobs.worker import main
from jobs.worker.heartbeat import Heartbeat
from jobs.worker.rq_worker import Companions, LoreelWorker
from jobs.worker.worker_name import claim_name
from orchestrator.domain.workers import Worker
from orchestrator.services import db
from orchestrator.services.db import engine, session_scope
from tests.outages import ERRORS, DatabaseOutage
from tests.studio import RedisProcess

AWAY = [pytest.param(error, id=type(error).__name__) for error in ERRORS]


@pytest.fixture
def heartbeat(home: object) -> Heartbeat:
    return Heartbeat("w", Device("CPU"), "cpu", 1, lambda: None)


@pytest.mark.parametrize("error", AWAY)
def test_beats_are_missed_in_one_line_and_come_again(
    heartbeat: Heartbeat, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    DatabaseOutage(monkeypatch, heartbeat_module, error, fails=3)
    with structlog.testing.capture_logs() as logged:
        for _ in range(5):
            heartbeat._beat()
    assert [line["event"] for line in logged] == ["worker.beat_missed", "worker.beats_again"]
    with session_scope() as session:
        assert session.get(Worker, "w") is not None


@pytest.mark.parametrize("error", AWAY)
def test_its_end_and_its_drain_do_not_fail(
    heartbeat: Heartbeat, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    DatabaseOutage(monkeypatch, heartbeat_module, error)
    assert heartbeat.refresh_draining() is False
    monkeypatch.setattr(heartbeat, "_thread", SimpleNamespace(join=lambda timeout: None))
    heartbeat.stop()
    assert not heartbeat.guard.locked()


@pytest.mark.parametrize("error", AWAY)
def test_a_job_that_cannot_be_given_back_is_left_to_the_controller(
    heartbeat: Heartbeat, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    DatabaseOutage(monkeypatch, heartbeat_module, error)
    worker = cast("Any", SimpleNamespace(_companions=Companions(heartbeat)))
    message = cast("Any", SimpleNamespace(delete=lambda: None))
    with structlog.testing.capture_logs() as logged:
        LoreelWorker._clean_up(worker, {"job_id": 1, "attempt": 1})
        LoreelWorker._return_message(worker, message, {"job_id": 1, "attempt": 1})
    events = [line["event"] for line in logged if line["event"] != "worker.orphans_killed"]  # of other tests
    assert events == ["worker.job_not_given_back"]
    assert not heartbeat.guard.locked()


def test_a_late_heartbeat_to_an_emptied_redis_is_no_error(heartbeat: Heartbeat, redis_server: RedisProcess) -> None:
    worker = LoreelWorker("cpu", Companions(heartbeat), name="w", connection=redis_server.client())
    client = redis_server.client()
    client.sadd(worker.executions_key, "3-a1:e1")
    client.hset(Execution.from_composite_key("3-a1:e1", client).key, "last_heartbeat", "1.0")
    assert worker.get_current_executions(refresh=True) == []


def test_nothing_of_sqlite_is_open_when_the_worker_forks(heartbeat: Heartbeat, monkeypatch: pytest.MonkeyPatch) -> None:
    heartbeat._beat()
    assert engine().pool.checkedin() == 0  # type: ignore[attr-defined]


def test_a_worker_starts_once_the_database_answers(home: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(db, "_RETRY_S", 0.01)
    tries = []

    def claim(device_class: str, index: int) -> str:
        tries.append(1)
        if len(tries) < 3:
            raise ERRORS[0]
        return claim_name(device_class, index)

    class Begun(Exception): ...

    def begin(*_arguments: object) -> None:
        raise Begun

    monkeypatch.setattr(main, "claim_name", claim)
    monkeypatch.setattr(main, "Heartbeat", begin)
    with pytest.raises(Begun):
        main.work("cpu", 0, 1)
    assert len(tries) == 3
