"""Messages: sent once, and again when the earlier one failed."""

from pathlib import Path

import pytest
from rq.job import Job, JobStatus

from jobs.controller import housekeeping
from jobs.controller.housekeeping import DemoRequest
from orchestrator.domain.machines import PREP
from orchestrator.domain.redis_keys import TASK_DEMO
from orchestrator.services.queue import enqueue, waiting_keys, withdraw
from tests.studio import RedisProcess


def set_status(server: RedisProcess, status: JobStatus) -> None:
    """As RQ leaves a message whose task has ended: out of its queue, with a status."""
    client = server.client()
    client.lrem("rq:queue:loreel-prep", 0, "demo")
    client.hset(Job.key_for("demo"), "status", status.value)


def test_a_message_that_waits_is_not_sent_twice(redis_server: RedisProcess) -> None:
    assert enqueue(TASK_DEMO, "demo", PREP)
    assert not enqueue(TASK_DEMO, "demo", PREP)
    assert waiting_keys(PREP) == {"demo"}
    set_status(redis_server, JobStatus.STARTED)
    assert not enqueue(TASK_DEMO, "demo", PREP)


@pytest.mark.parametrize("status", [JobStatus.FAILED, JobStatus.STOPPED, JobStatus.CANCELED])
def test_one_that_failed_is_replaced(redis_server: RedisProcess, status: JobStatus) -> None:
    assert enqueue(TASK_DEMO, "demo", PREP)
    set_status(redis_server, status)
    assert enqueue(TASK_DEMO, "demo", PREP)
    assert waiting_keys(PREP) == {"demo"}


def test_a_demo_that_failed_is_drawn_again_a_minute_later(
    home: Path, redis_server: RedisProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    request = DemoRequest(lambda: now[0])
    request.send()
    assert waiting_keys(PREP) == {"demo"}
    set_status(redis_server, JobStatus.FAILED)
    now[0] += 30
    request.send()
    assert waiting_keys(PREP) == set()
    now[0] += 31
    request.send()
    assert waiting_keys(PREP) == {"demo"}
    withdraw("demo", PREP)
    monkeypatch.setattr(housekeeping, "is_demo_generated", lambda: True)
    now[0] += 100
    request.send()
    assert waiting_keys(PREP) == set()
