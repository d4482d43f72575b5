"""Leases fence off older attempts, the controller acts only after its grace times, and workers run only our tasks."""

import os
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
from jobs.controller.reconcile import DEAD_PROCESS_S, EXPIRED_GRACE_S, MISSING_MESSAGE_S, Reconciler
from jobs.processes.lease import Lease
from jobs.worker.rq_worker import is_allowed
from orchestrator.domain.base import utcnow
from orchestrator.domain.redis_keys import TASK_TRAIN, job_lease
from orchestrator.domain.training_jobs import JobStatus, TrainingJob
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


def test_a_run_continues_while_redis_is_away(home: object) -> None:
    assert Lease("lease", 1).beat()


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


class OldRedis(redis.Redis):
    """A server that has been up for hours."""

    def info(self, *_: object, **__: object) -> dict[str, int]:  # type: ignore[override]
        super().ping()
        return {"uptime_in_seconds": 10_000}


def old_redis(server: RedisProcess) -> redis.Redis:
    return OldRedis(connection_pool=server.client().connection_pool)


def tick(reconciler: Reconciler) -> list[str]:
    with session_scope() as session:
        return reconciler.tick(session)


def test_a_run_whose_lease_expired_is_lost_after_the_grace_time(redis_server: RedisProcess, ada: Actor) -> None:
    clock = Clock()
    reconciler = Reconciler(old_redis(redis_server), clock)
    job_id = launch(ada, make_things(ada))
    with session_scope() as session:
        claim(session, job_id, 1, "w")
    assert tick(reconciler) == []
    clock.now += 6.0  # one lease period after the controller met Redis
    assert tick(reconciler) == []
    clock.now += EXPIRED_GRACE_S - 0.1
    assert tick(reconciler) == []
    redis_server.client().set(job_lease(job_id), 1, px=60_000)
    clock.now += 1.0
    assert tick(reconciler) == []  # it was renewed: the clock starts from zero
    redis_server.client().delete(job_lease(job_id))
    assert tick(reconciler) == []
    clock.now += EXPIRED_GRACE_S
    assert tick(reconciler) == [f"lost {job_id}-a1"]
    assert job_of(job_id).status is JobStatus.QUEUED


def test_a_run_whose_worker_process_died_is_lost_sooner(redis_server: RedisProcess, ada: Actor) -> None:
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
    assert tick(reconciler) == [], "the lease is renewed: the process may live in another container"
    client.pexpire(lease, 3_500)
    assert tick(reconciler)[0] == f"orphan {job_id}-a1"
    assert job_of(job_id).status is JobStatus.QUEUED


@pytest.mark.parametrize("beats", [True, False])
def test_a_job_that_a_restarted_worker_has_just_claimed_is_not_lost(
    redis_server: RedisProcess, ada: Actor, beats: bool
) -> None:
    """The job was sent to the worker's predecessor, and on a busy machine the lease comes seconds after the claim."""
    clock, client = Clock(), redis_server.client()
    reconciler = Reconciler(old_redis(redis_server), clock)
    job_id = launch(ada, make_things(ada))
    with session_scope() as session:
        session.get_one(TrainingJob, job_id).sent_at = utcnow() - timedelta(seconds=60)
        session.add(Worker(name="w", host=socket.gethostname(), pid=os.getpid(), started_at=utcnow()))
        claim(session, job_id, 1, "w")
    tick(reconciler)
    clock.now += 6.0  # one lease period after the controller met Redis
    assert tick(reconciler) == []
    clock.now += DEAD_PROCESS_S - 0.1
    assert tick(reconciler) == []
    if beats:
        client.set(job_lease(job_id), 1, px=6_000)
    clock.now += 0.2
    assert tick(reconciler)[:1] == ([] if beats else [f"orphan {job_id}-a1"])
    assert job_of(job_id).status is (JobStatus.STARTING if beats else JobStatus.QUEUED)


def test_no_run_is_lost_right_after_redis_came_back(redis_server: RedisProcess, ada: Actor) -> None:
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


def test_a_missing_message_is_sent_again(redis_server: RedisProcess, ada: Actor) -> None:
    clock = Clock()
    reconciler = Reconciler(old_redis(redis_server), clock)
    job_id = launch(ada, make_things(ada))
    assert tick(reconciler) == []
    redis_server.client().flushall()
    assert tick(reconciler) == []
    clock.now += MISSING_MESSAGE_S
    assert tick(reconciler) == [f"message {job_id}-a1"]
    assert waiting_keys("cpu") == {f"{job_id}-a1"}
    assert tick(reconciler) == []


def test_messages_of_a_pool_without_workers_are_sent_to_another(redis_server: RedisProcess, ada: Actor) -> None:
    def beat(name: str, pool: str, age_s: float = 0.0) -> None:
        with session_scope() as session:
            session.merge(
                Worker(name=name, host="h", device_class="gpu", pool=pool, beat_at=utcnow() - timedelta(seconds=age_s))
            )

    clock = Clock()
    reconciler = Reconciler(old_redis(redis_server), clock)
    beat("large", "gpu-80x1")
    job_id = launch(ada, make_things(ada))
    assert waiting_keys("gpu-80x1") == {f"{job_id}-a1"}
    beat("large", "gpu-80x1", age_s=60)
    assert tick(reconciler) == [], "while no other worker is there, the message waits for this one"
    beat("small", "gpu-24x1")
    assert tick(reconciler) == []
    clock.now += MISSING_MESSAGE_S
    assert tick(reconciler) == [f"message {job_id}-a1"]
    assert tick(reconciler) == [f"sent {job_id}"]
    assert (waiting_keys("gpu-80x1"), waiting_keys("gpu-24x1")) == (set(), {f"{job_id}-a1"})


def test_only_one_controller_is_the_leader(home: object) -> None:
    def claimed(lease: LeaderLease) -> bool:
        with session_scope() as session:
            return lease.claim(session)

    first, second = LeaderLease("first"), LeaderLease("second")
    assert claimed(first)
    assert not claimed(second)
    assert claimed(first)
    with session_scope() as session:
        first.release(session)
    assert not first.is_leader
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
def test_only_messages_of_our_own_tasks_are_run(
    redis_server: RedisProcess, function: str, options: dict[str, str], allowed: bool
) -> None:
    from rq.job import Callback

    callbacks: dict[str, Any] = {name: Callback(value) for name, value in options.items()}
    queue = Queue("q", connection=redis_server.client(), serializer=JSONSerializer)
    made = queue.enqueue_call(function, kwargs={"job_id": 1}, job_id="x", **callbacks)
    fetched = Job.fetch(made.id, connection=queue.connection, serializer=JSONSerializer)
    assert is_allowed(fetched) is allowed
