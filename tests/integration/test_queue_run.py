"""Real workers, real Redis, real SQLite, real signals: no run is lost, trained twice or left behind."""

import json
import os
import signal
import sqlite3
import time
from pathlib import Path

import psutil
import pytest
from sqlmodel import func, select

from orchestrator.domain.metric_points import MetricPoint
from orchestrator.domain.training_jobs import FINAL, JobEvent, JobStatus
from orchestrator.domain.users import Actor
from orchestrator.services.db import session_scope
from orchestrator.services.metrics.history import history
from orchestrator.services.metrics.logs import tail
from orchestrator.services.training.lifecycle import request_stop
from tests.forked_processes import AnyProcess
from tests.studio import (
    RedisProcess,
    job_of,
    launch,
    make_things,
    start_controller,
    start_process,
    start_worker,
    until,
)

Processes = list[AnyProcess]


def plan(home: Path, **values: object) -> None:
    (home / "jobs").mkdir(exist_ok=True)
    (home / "jobs" / "fake.json").write_text(json.dumps(values))


def is_final(job_id: int) -> bool:
    return job_of(job_id).status in FINAL


def trainer_pid(home: Path, job_id: int, attempt: int = 1) -> int:
    path = home / "jobs" / str(job_id) / f"a{attempt}" / f"pid-{attempt}"
    return int(until(lambda: path.exists() and path.read_text(), what="the trainer starts"))


def points_of(job_id: int) -> int:
    with session_scope() as session:
        wanted = select(func.count()).where(MetricPoint.job_id == job_id, MetricPoint.series == "loss")
        return session.exec(wanted).one()


def kinds_of(job_id: int) -> list[str]:
    with session_scope() as session:
        return [event.kind for event in session.exec(select(JobEvent).where(JobEvent.job_id == job_id))]


def test_a_job_runs_to_its_end(home: Path, redis_server: RedisProcess, ada: Actor, processes: Processes) -> None:
    plan(home, steps=20)
    start_worker(processes, home)
    job_id = launch(ada, make_things(ada))
    until(lambda: is_final(job_id), what="the job ends")
    job = job_of(job_id)
    assert job.status is JobStatus.COMPLETED, job.error
    assert (job.step, job.total_steps, job.attempt) == (20, 20, 1)
    assert job.summary.final_step == 20
    assert points_of(job_id) == 20
    assert kinds_of(job_id) == ["queued", "starting", "running", "completed"]
    with session_scope() as session:
        assert len(history(session, ada, job_id).series["loss"]) == 20
        assert "Attempt 1" in tail(session, ada, job_id).lines[0].message


def test_a_failure_says_its_reason(home: Path, redis_server: RedisProcess, ada: Actor, processes: Processes) -> None:
    plan(home, steps=20, fail_at=3)
    start_worker(processes, home)
    job_id = launch(ada, make_things(ada))
    until(lambda: is_final(job_id))
    job = job_of(job_id)
    assert job.status is JobStatus.FAILED
    assert job.error == "The training failed: the clips disagree (ValueError)."
    assert "Traceback" in job.error_details


def test_stop_works_between_steps(home: Path, redis_server: RedisProcess, ada: Actor, processes: Processes) -> None:
    plan(home, steps=5_000)
    start_worker(processes, home)
    job_id = launch(ada, make_things(ada))
    until(lambda: job_of(job_id).status is JobStatus.RUNNING)
    with session_scope() as session:
        assert request_stop(session, ada, job_id).status == "stopping"
    until(lambda: is_final(job_id))
    assert job_of(job_id).status is JobStatus.STOPPED
    # It ended by itself: a trainer that is killed writes no result.
    result = json.loads((home / "jobs" / str(job_id) / "a1" / "result.json").read_text())
    assert result["status"] == "stopped"
    assert points_of(job_id) >= 1


def test_a_deaf_trainer_is_stopped_by_force(
    home: Path, redis_server: RedisProcess, ada: Actor, processes: Processes
) -> None:
    plan(home, steps=5_000, deaf=True)
    start_worker(processes, home)
    job_id = launch(ada, make_things(ada))
    pid = trainer_pid(home, job_id)
    until(lambda: job_of(job_id).status is JobStatus.RUNNING)
    with session_scope() as session:
        request_stop(session, ada, job_id)
    until(lambda: is_final(job_id))
    assert job_of(job_id).status is JobStatus.STOPPED
    assert not psutil.pid_exists(pid)


def test_a_killed_trainer_goes_on_from_its_checkpoint(
    home: Path, redis_server: RedisProcess, ada: Actor, processes: Processes
) -> None:
    plan(home, steps=60, kill_self_at=10, once="yes")
    start_worker(processes, home)
    job_id = launch(ada, make_things(ada))
    until(lambda: is_final(job_id))
    job = job_of(job_id)
    assert (job.status, job.attempt) == (JobStatus.COMPLETED, 2)
    assert points_of(job_id) == 60
    assert "lost" in kinds_of(job_id)


def test_a_trainer_killed_each_time_fails_with_a_sentence(
    home: Path, redis_server: RedisProcess, ada: Actor, processes: Processes
) -> None:
    plan(home, steps=60, kill_self_at=1, saves=False)
    start_worker(processes, home)
    job_id = launch(ada, make_things(ada))
    plan(home, steps=10_000, pause=0.05, saves=False)
    for attempt in (1, 2, 3):
        os.kill(trainer_pid(home, job_id, attempt), signal.SIGKILL)
        until(lambda a=attempt: job_of(job_id).attempt > a or is_final(job_id))
    until(lambda: is_final(job_id))
    job = job_of(job_id)
    assert (job.status, job.attempt) == (JobStatus.FAILED, 3)
    assert job.error == (
        "The training process was killed by signal 9 (SIGKILL). "
        "Its machine was lost 3 times without a new checkpoint in between, so the job was not started again."
    )


def test_a_killed_work_process_is_noticed_at_once(
    home: Path, redis_server: RedisProcess, ada: Actor, processes: Processes
) -> None:
    plan(home, steps=100)
    worker = start_worker(processes, home)
    job_id = launch(ada, make_things(ada))
    pid = trainer_pid(home, job_id)
    horse = psutil.Process(pid).parent()
    assert horse is not None
    assert horse.ppid() == worker.pid
    horse.kill()
    trainer_pid(home, job_id, 2)
    assert not psutil.pid_exists(pid)
    until(lambda: is_final(job_id))
    assert (job_of(job_id).status, job_of(job_id).attempt) == (JobStatus.COMPLETED, 2)


@pytest.mark.slow
def test_a_killed_worker_leaves_no_orphan_and_loses_no_job(
    home: Path, redis_server: RedisProcess, ada: Actor, processes: Processes
) -> None:
    plan(home, steps=150, pause=0.05)
    worker = start_worker(processes, home)
    start_controller(processes, home)
    job_id = launch(ada, make_things(ada))
    pid = trainer_pid(home, job_id)
    until(lambda: job_of(job_id).step > 5)
    worker.kill()
    worker.wait()
    until(lambda: not psutil.pid_exists(pid), what="the trainer dies with its worker")
    start_worker(processes, home)
    until(lambda: job_of(job_id).attempt == 2, 60, "the controller gives the job back")
    until(lambda: is_final(job_id), 30)
    assert job_of(job_id).status is JobStatus.COMPLETED
    assert points_of(job_id) == 150


@pytest.mark.slow
def test_a_redis_restart_ends_nothing(home: Path, redis_server: RedisProcess, ada: Actor, processes: Processes) -> None:
    plan(home, steps=200, pause=0.05)
    start_worker(processes, home)
    start_controller(processes, home)
    job_id = launch(ada, make_things(ada))
    until(lambda: job_of(job_id).step > 5)
    redis_server.stop(signal.SIGKILL)
    time.sleep(3.0)
    redis_server.start()
    until(lambda: is_final(job_id), 40)
    job = job_of(job_id)
    assert (job.status, job.attempt) == (JobStatus.COMPLETED, 1)
    assert points_of(job_id) == 200
    plan(home, steps=3)
    second = launch(ada, make_things(ada))
    until(lambda: is_final(second), 20, "the worker takes the next job")


def test_an_emptied_redis_is_repaired(home: Path, redis_server: RedisProcess, ada: Actor, processes: Processes) -> None:
    plan(home, steps=3)
    job_id = launch(ada, make_things(ada))
    redis_server.client().flushall()
    start_controller(processes, home)
    start_worker(processes, home)
    until(lambda: is_final(job_id), 20, "the controller writes the letter again")
    assert job_of(job_id).status is JobStatus.COMPLETED


def test_a_worker_shut_down_in_order_gives_its_job_back(
    home: Path, redis_server: RedisProcess, ada: Actor, processes: Processes
) -> None:
    plan(home, steps=100, pause=0.05)
    worker = start_worker(processes, home)
    job_id = launch(ada, make_things(ada))
    pid = trainer_pid(home, job_id)
    until(lambda: job_of(job_id).step > 2)
    worker.terminate()
    assert worker.wait(10) == 0
    assert not psutil.pid_exists(pid)
    assert job_of(job_id).status is JobStatus.QUEUED
    start_worker(processes, home)
    until(lambda: is_final(job_id))
    assert (job_of(job_id).status, job_of(job_id).attempt) == (JobStatus.COMPLETED, 2)
    assert "suspended" in kinds_of(job_id)
    assert "lost" not in kinds_of(job_id)


def test_the_reading_sibling_is_started_again(home: Path, redis_server: RedisProcess, processes: Processes) -> None:
    worker = start_process("-m", "jobs.worker", "--device", "cpu", log=home / "worker.log")
    processes.append(worker)

    def sibling() -> psutil.Process | None:
        living = [p for p in psutil.Process(worker.pid).children() if p.status() != psutil.STATUS_ZOMBIE]
        return next((p for p in living if "prep" in p.cmdline()), None)

    first = until(sibling)
    first.kill()
    second = until(lambda: (found := sibling()) and found.pid != first.pid and found)
    worker.terminate()
    assert worker.wait(15) == 0
    assert not second.is_running()


def test_a_run_that_reached_no_store_goes_on_in_the_same_attempt(
    home: Path, redis_server: RedisProcess, ada: Actor, processes: Processes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both stores are away for longer than the limit: the trainer ends, its supervisor waits, and each step is once."""
    monkeypatch.setenv("LOREEL_ISOLATION_LIMIT_S", "2")
    plan(home, steps=150, pause=0.1)
    start_worker(processes, home)
    job_id = launch(ada, make_things(ada))
    first = trainer_pid(home, job_id)
    until(lambda: job_of(job_id).step >= 3, what="the training has begun")
    connection = sqlite3.connect(home / "loreel.db", isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")  # nobody else can write: the database is busy
    redis_server.stop(signal.SIGKILL)
    until(lambda: not psutil.pid_exists(first), 40, "the trainer has ended by itself")
    saved = len(list((home / "jobs" / str(job_id) / "a1" / "checkpoints").iterdir()))
    time.sleep(2.0)
    assert len(list((home / "jobs" / str(job_id) / "a1" / "checkpoints").iterdir())) == saved
    assert trainer_pid(home, job_id) == first, "no other trainer runs before a store is back"
    connection.close()
    redis_server.start()
    until(lambda: is_final(job_id), 90, "the job ends")
    job = job_of(job_id)
    assert (job.status, job.attempt, job.step) == (JobStatus.COMPLETED, 1, 150), job.error
    assert trainer_pid(home, job_id) != first
    assert kinds_of(job_id) == ["queued", "starting", "running", "waited", "completed"]
    records = (home / "jobs" / str(job_id) / "a1" / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in records] == list(range(1, 151))
