"""Leases fence, the controller's verdicts wait for their time, and only our own letters are opened."""

import socket
import subprocess
from datetime import timedelta
from typing import Any

import pytest
import redis
from rq import Queue
from rq.job import Job
from rq.serializers import JSONSerializer

from jobs.controller.leader import LeaderLease
from jobs.controller.reconcile import LETTER_S, SILENT_S, Reconciler
from jobs.processes.lease import Lease
from jobs.worker.rq_worker import is_allowed
from orchestrator.domain.base import utcnow
from orchestrator.domain.redis_keys import TASK_TRAIN, job_lease
from orchestrator.domain.training_jobs import JobStatus
from orchestrator.domain.users import Actor
from orchestrator.domain.workers import Worker
from orchestrator.services.db import session_scope
from orchestrator.services.queue import waiting_keys
from orchestrator.services.training.lifecycle import claim
from tests.studio import RedisProcess, job_of, launch, make_things


def test_a_higher_attempt_fences_an_older_one(redis_server: RedisProcess) -> None:
    old, new = Lease("lease", 1), Lease("lease", 2)
    assert old.beat()
    assert new.beat()
    assert not old.beat()
    assert old.fenced
    old.release()
    assert redis_server.client().get("lease") == b"2"
    new.release()
    assert redis_server.client().get("lease") is None


def test_a_lease_without_redis_ends_nothing(home: object) -> None:
    assert Lease("lease", 1).beat()


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


class OldRedis(redis.Redis):
    """A server that has been up for long."""

    def info(self, *_: object, **__: object) -> dict[str, int]:  # type: ignore[override]
        super().ping()
        return {"uptime_in_seconds": 10_000}


def old_redis(server: RedisProcess) -> redis.Redis:
    return OldRedis(connection_pool=server.client().connection_pool)


def tick(reconciler: Reconciler) -> list[str]:
    with session_scope() as session:
        return reconciler.tick(session)


def test_a_silent_run_is_lost_after_its_time(redis_server: RedisProcess, ada: Actor) -> None:
    clock = Clock()
    reconciler = Reconciler(old_redis(redis_server), clock)
    job_id = launch(ada, make_things(ada))
    with session_scope() as session:
        claim(session, job_id, 1, "w")
    assert tick(reconciler) == []
    clock.now += 6.0  # one lease period after the controller met Redis
    assert tick(reconciler) == []
    clock.now += SILENT_S - 0.1
    assert tick(reconciler) == []
    redis_server.client().set(job_lease(job_id), 1, px=60_000)
    clock.now += 1.0
    assert tick(reconciler) == []  # it beat again: the clock starts anew
    redis_server.client().delete(job_lease(job_id))
    assert tick(reconciler) == []
    clock.now += SILENT_S
    assert tick(reconciler) == [f"lost {job_id}-a1"]
    assert job_of(job_id).status is JobStatus.QUEUED


def test_a_run_whose_workers_process_is_gone_is_lost_at_once(redis_server: RedisProcess, ada: Actor) -> None:
    clock = Clock()
    reconciler = Reconciler(old_redis(redis_server), clock)
    job_id = launch(ada, make_things(ada))
    gone = subprocess.Popen(["true"])
    gone.wait()
    with session_scope() as session:
        session.add(Worker(name="w", host=socket.gethostname(), pid=gone.pid))
        claim(session, job_id, 1, "w")
    lease, client = job_lease(job_id), redis_server.client()
    client.set(lease, 1, px=6_000)
    tick(reconciler)
    clock.now += 6.0
    client.set(lease, 1, px=6_000)
    assert tick(reconciler) == [], "somebody still beats: the process may live in another container"
    client.pexpire(lease, 3_500)
    assert tick(reconciler)[0] == f"orphan {job_id}-a1"
    assert job_of(job_id).status is JobStatus.QUEUED


def test_no_verdict_right_after_redis_came_back(redis_server: RedisProcess, ada: Actor) -> None:
    clock = Clock()
    reconciler = Reconciler(old_redis(redis_server), clock)
    job_id = launch(ada, make_things(ada))
    with session_scope() as session:
        claim(session, job_id, 1, "w")
    tick(reconciler)
    clock.now += 60.0
    redis_server.stop()
    with pytest.raises(redis.RedisError):
        tick(reconciler)
    redis_server.start()
    for _ in range(5):
        clock.now += 1.0
        assert tick(reconciler) == []
    assert job_of(job_id).status is JobStatus.STARTING


def test_a_missing_letter_is_written_again(redis_server: RedisProcess, ada: Actor) -> None:
    clock = Clock()
    reconciler = Reconciler(old_redis(redis_server), clock)
    job_id = launch(ada, make_things(ada))
    assert tick(reconciler) == []
    redis_server.client().flushall()
    assert tick(reconciler) == []
    clock.now += LETTER_S
    assert tick(reconciler) == [f"letter {job_id}-a1"]
    assert waiting_keys("cpu") == {f"{job_id}-a1"}
    assert tick(reconciler) == []


def test_letters_for_machines_that_are_gone_are_sent_to_others(redis_server: RedisProcess, ada: Actor) -> None:
    def hello(name: str, box: str, age_s: float = 0.0) -> None:
        with session_scope() as session:
            session.merge(
                Worker(name=name, host="h", device_class="gpu", pool=box, beat_at=utcnow() - timedelta(seconds=age_s))
            )

    clock = Clock()
    reconciler = Reconciler(old_redis(redis_server), clock)
    hello("large", "gpu-80x1")
    job_id = launch(ada, make_things(ada))
    assert waiting_keys("gpu-80x1") == {f"{job_id}-a1"}
    hello("large", "gpu-80x1", age_s=60)
    assert tick(reconciler) == [], "while no other worker is there, the letter waits for this one"
    hello("small", "gpu-24x1")
    assert tick(reconciler) == []
    clock.now += LETTER_S
    assert tick(reconciler) == [f"letter {job_id}-a1"]
    assert tick(reconciler) == [f"sent {job_id}"]
    assert (waiting_keys("gpu-80x1"), waiting_keys("gpu-24x1")) == (set(), {f"{job_id}-a1"})


def test_one_controller_rules(home: object) -> None:
    def claimed(throne: LeaderLease) -> bool:
        with session_scope() as session:
            return throne.claim(session)

    first, second = LeaderLease("first"), LeaderLease("second")
    assert claimed(first)
    assert not claimed(second)
    assert claimed(first)
    with session_scope() as session:
        first.leave(session)
    assert not first.held
    assert claimed(second)
    assert not claimed(first)


@pytest.mark.parametrize(
    ("function", "options", "allowed"),
    [
        (TASK_TRAIN, {}, True),
        ("os.system", {}, False),
        ("jobs.tasks.os.system", {}, False),
        (TASK_TRAIN, {"on_success": "os.system"}, False),
        (TASK_TRAIN, {"on_failure": "os.system"}, False),
    ],
)
def test_only_our_own_letters_are_opened(
    redis_server: RedisProcess, function: str, options: dict[str, str], allowed: bool
) -> None:
    from rq.job import Callback

    callbacks: dict[str, Any] = {name: Callback(value) for name, value in options.items()}
    queue = Queue("q", connection=redis_server.client(), serializer=JSONSerializer)
    made = queue.enqueue_call(function, kwargs={"job_id": 1}, job_id="x", **callbacks)
    fetched = Job.fetch(made.id, connection=queue.connection, serializer=JSONSerializer)
    assert is_allowed(fetched) is allowed
