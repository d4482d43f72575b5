"""The prep worker ends in order with its worker: it stands in no list afterwards."""

import signal
from pathlib import Path

from sqlmodel import select

from orchestrator.domain.workers import Worker
from orchestrator.services.db import session_scope
from tests.forked_processes import AnyProcess
from tests.studio import RedisProcess, start_process, until


def names() -> list[str]:
    with session_scope() as session:
        return [worker.name for worker in session.exec(select(Worker))]


def test_no_row_is_left_behind(home: Path, redis_server: RedisProcess, processes: list[AnyProcess]) -> None:
    worker = start_process("-m", "jobs.worker", "--device", "cpu", log=home / "worker.log")
    processes.append(worker)

    def both_listen() -> bool:
        return len(names()) == 2 and len(redis_server.client().smembers("rq:workers")) == 2  # type: ignore[arg-type]

    until(both_listen, 60, "worker and prep worker wait for messages")
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(20) == 0
    assert names() == []
