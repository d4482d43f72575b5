"""A real worker that drains ends its job, takes no other, and works on when it may again."""

import json
from pathlib import Path

from sqlmodel import select

from orchestrator.domain.training_jobs import FINAL, JobStatus
from orchestrator.domain.users import Actor, Role
from orchestrator.domain.workers import Worker
from orchestrator.services.db import session_scope
from orchestrator.services.training.queue_control import drain_worker
from tests.forked_processes import AnyProcess
from tests.studio import RedisProcess, job_of, launch, make_things, start_controller, start_worker, until

ADMIN = Actor(1, "root", "root@example.org", Role.ADMIN)


def test_a_draining_worker_ends_its_job_and_takes_no_other(
    home: Path, redis_server: RedisProcess, ada: Actor, processes: list[AnyProcess]
) -> None:
    (home / "jobs").mkdir()
    (home / "jobs" / "fake.json").write_text(json.dumps({"steps": 60, "pause": 0.05}))
    start_worker(processes, home)
    start_controller(processes, home)

    def name() -> str | None:
        with session_scope() as session:
            return session.exec(select(Worker.name)).first()

    worker = until(name, 40)
    things = make_things(ada)
    first, second = launch(ada, things), launch(ada, things)
    until(lambda: job_of(first).status is JobStatus.RUNNING, 40)
    with session_scope() as session:
        drain_worker(session, ADMIN, worker)
    until(lambda: job_of(first).status in FINAL, 40)
    assert job_of(first).status is JobStatus.COMPLETED
    assert (job_of(second).status, job_of(second).sent_at) == (JobStatus.QUEUED, None)
    assert (home / "jobs" / str(first) / "a1" / "telemetry.jsonl").exists()
    with session_scope() as session:
        drain_worker(session, ADMIN, worker, draining=False)
    until(lambda: job_of(second).status in FINAL, 60)
    assert job_of(second).status is JobStatus.COMPLETED


def test_two_workers_that_start_at_once_take_two_names(
    home: Path, redis_server: RedisProcess, processes: list[AnyProcess]
) -> None:
    for _ in range(3):
        start_worker(processes, home)

    def names() -> bool:
        with session_scope() as session:
            return len(set(session.exec(select(Worker.pid)))) == 3

    until(names, 60, "each has a row of its own")
