"""The controller while a store is away: it waits, says so in one line, and goes on."""

import threading
from typing import Any

import pytest
import redis
import structlog

from jobs.controller import housekeeping, loop, notification_sender
from jobs.controller.housekeeping import Chore, Housekeeping
from tests.outages import ERRORS, DatabaseOutage
from tests.studio import RedisProcess

AWAY = [pytest.param(error, id=type(error).__name__) for error in ERRORS]


def run_for_ticks(monkeypatch: pytest.MonkeyPatch, ticks: int) -> list[Any]:
    """Runs the loop without pauses; what it logged."""
    stopping = threading.Event()
    waits: list[float] = []

    def wait(seconds: float) -> bool:
        waits.append(seconds)
        if len(waits) >= ticks:
            stopping.set()
        return stopping.is_set()

    monkeypatch.setattr(stopping, "wait", wait)
    with structlog.testing.capture_logs() as logged:
        loop.run(stopping)
    return [line for line in logged if line["event"].startswith("controller.")]


@pytest.mark.parametrize("error", AWAY)
def test_it_waits_for_the_database(
    redis_server: RedisProcess, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    outage = DatabaseOutage(monkeypatch, loop, error, fails=5)
    monkeypatch.setattr(Housekeeping, "tick", lambda _self: None)
    logged = run_for_ticks(monkeypatch, 8)
    assert outage.asked > 5
    assert [line["event"] for line in logged] == ["controller.waiting", "controller.goes_on"]
    assert logged[0]["store"] == "database"


@pytest.mark.parametrize("error", AWAY)
def test_it_ends_in_an_outage(redis_server: RedisProcess, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    DatabaseOutage(monkeypatch, loop, error)
    logged = run_for_ticks(monkeypatch, 3)
    assert [line["event"] for line in logged] == ["controller.waiting", "controller.lease_not_released"]


def test_it_waits_for_redis(home: object, monkeypatch: pytest.MonkeyPatch) -> None:
    logged = run_for_ticks(monkeypatch, 4)
    assert [line["event"] for line in logged] == ["controller.waiting"]
    assert logged[0]["store"] == "redis"


@pytest.mark.parametrize("error", [*AWAY, pytest.param(redis.ConnectionError("refused"), id="redis")])
def test_a_chore_that_met_an_outage_runs_again_soon(error: Exception) -> None:
    def act() -> None:
        raise error

    chores = Housekeeping(redis.Redis())
    chores._chores = [Chore(3600.0, act)]
    with structlog.testing.capture_logs() as logged, pytest.raises(type(error)):
        chores.tick()
    assert logged == []
    assert chores._chores[0].next_at < housekeeping.time.monotonic() + 3


@pytest.mark.parametrize("error", AWAY)
def test_notifications_wait_without_a_traceback(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def deliver() -> int:
        raise error

    monkeypatch.setattr(notification_sender, "deliver_due", deliver)
    with structlog.testing.capture_logs() as logged:
        notification_sender._deliver()
    assert [(line["event"], "exc_info" in line) for line in logged] == [("notifications.database_away", False)]
