"""Makes Redis and the workers agree with the database again: messages that were lost, runs whose lease has expired."""

import socket
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

import psutil
import redis
import structlog
from sqlmodel import Session, col, select

from jobs.processes.lease import TTL_S
from orchestrator.domain.machines import CPU
from orchestrator.domain.redis_keys import TASK_TRAIN, job_lease
from orchestrator.domain.training_jobs import ON_WORKER, JobStatus, TrainingJob
from orchestrator.domain.workers import Worker
from orchestrator.services.queue import enqueue, train_key, waiting_keys, withdraw
from orchestrator.services.training.capacity import open_pools
from orchestrator.services.training.dispatch import dispatch, return_to_queue
from orchestrator.services.training.lifecycle import mark_lost

log = structlog.get_logger()

EXPIRED_GRACE_S = 2.5
"""How long a lease must be missing: after Redis was emptied, living runs renew theirs within one second."""

DEAD_PROCESS_S = 2.5
"""How long a lease must not be renewed when the worker's process is dead: a living run renews it each second."""

MISSING_MESSAGE_S = 5.0
"""How long a queued job may have no message in its queue: a worker that takes one starts the job at once."""


class Reconciler:
    """Remembers since when something looks wrong, and acts once it has looked wrong for long enough.

    Args:
        client: a Redis client without retries, so that an outage is seen as one.
        clock: seconds, monotonic.
    """

    def __init__(self, client: redis.Redis, clock: Callable[[], float] = time.monotonic) -> None:
        self._client, self._clock = client, clock
        self._redis_up_since: float | None = None
        self._expired_since: dict[tuple[int, int], float] = {}
        self._orphan_since: dict[tuple[int, int], float] = {}
        self._missing_since: dict[str, float] = {}

    def tick(self, session: Session) -> list[str]:
        """Checks everything once.

        Returns:
            What was repaired, for the log: `sent ID`, `message KEY`, `lost ID-aN`, `orphan ID-aN`.

        Raises:
            redis.RedisError: Redis is away.
        """
        try:
            info: Any = self._client.info("server")
        except (redis.RedisError, OSError):
            # No run can renew its lease now, so none is judged; afterwards the clocks start from zero.
            self._redis_up_since = None
            self._expired_since.clear()
            self._orphan_since.clear()
            self._missing_since.clear()
            raise
        now = self._clock()
        if self._redis_up_since is None:
            self._redis_up_since = now
        repairs = self._restore_messages(session, now)
        # Nothing is judged for one lease period after Redis came back, whether its outage was noticed or not.
        if min(now - self._redis_up_since, float(info["uptime_in_seconds"])) >= TTL_S:
            repairs += self._find_lost_runs(session, now)
        else:
            self._expired_since.clear()
        return repairs

    def _restore_messages(self, session: Session, now: float) -> list[str]:
        """Sends the messages of jobs whose turn it is, and those that were lost: at the commit, or with Redis' data."""
        repairs = [f"sent {job_id}" for job_id in dispatch(session)]
        queued = select(TrainingJob.id, TrainingJob.attempt, TrainingJob.pool).where(
            TrainingJob.status == JobStatus.QUEUED, col(TrainingJob.sent_at).is_not(None)
        )
        jobs = {
            train_key(job_id or 0, attempt + 1): (job_id or 0, attempt + 1, pool or CPU)
            for job_id, attempt, pool in session.exec(queued.order_by(col(TrainingJob.id)))
        }
        if not jobs:
            self._missing_since.clear()
            return repairs
        pools = {pool for _, _, pool in jobs.values()}
        waiting = {key for pool in pools for key in waiting_keys(pool)}
        # A pool without workers, while others have some: no worker would take its messages.
        served = set(open_pools(session))
        abandoned = pools - served if served else set()
        wrong = [key for key, (_, _, pool) in jobs.items() if key not in waiting or pool in abandoned]
        self._missing_since = {key: self._missing_since.get(key, now) for key in wrong}
        for key, since in list(self._missing_since.items()):
            if now - since >= MISSING_MESSAGE_S:
                job_id, attempt, pool = jobs[key]
                withdraw(key, pool)
                if pool in abandoned:
                    return_to_queue(session, job_id, attempt)
                else:
                    enqueue(TASK_TRAIN, key, pool, job_id=job_id, attempt=attempt)
                del self._missing_since[key]
                repairs.append(f"message {key}")
        return repairs

    def _find_lost_runs(self, session: Session, now: float) -> list[str]:
        """Gives back jobs whose lease has expired: their worker, their process or their host is dead."""
        on_worker = select(TrainingJob.id, TrainingJob.attempt, TrainingJob.worker, TrainingJob.sent_at)
        rows = session.exec(on_worker.where(col(TrainingJob.status).in_(ON_WORKER))).all()
        if not rows:
            self._expired_since.clear()
            self._orphan_since.clear()
            return []
        jobs = [(job_id or 0, attempt) for job_id, attempt, _, _ in rows]
        repairs = self._find_orphans(
            session, {name: (job_id or 0, attempt, sent) for job_id, attempt, name, sent in rows}, now
        )
        leases: list[bytes | None] = self._client.mget([job_lease(job_id) for job_id, _ in jobs])  # type: ignore[assignment]
        expired = [job for job, lease in zip(jobs, leases, strict=True) if lease is None]
        self._expired_since = {job: self._expired_since.get(job, now) for job in expired}
        for (job_id, attempt), since in list(self._expired_since.items()):
            if now - since >= EXPIRED_GRACE_S and mark_lost(session, job_id, attempt, "The worker fell silent."):
                del self._expired_since[job_id, attempt]
                repairs.append(f"lost {job_id}-a{attempt}")
        return repairs

    def _find_orphans(
        self, session: Session, runs: dict[str, tuple[int, int, datetime | None]], now: float
    ) -> list[str]:
        """Gives back jobs sooner whose worker's process on this very host is dead, or was restarted since.

        Two containers may share a host's name and not its processes, and a job may be sent before its worker starts;
        so a lease that is still renewed decides. One that is absent says nothing at first: a worker may have claimed
        the job a moment ago.

        Args:
            runs: by the worker's name: job, attempt, and when its message was sent.
        """
        workers = select(Worker.name, Worker.pid, Worker.started_at, Worker.host)
        repairs, since = [], self._orphan_since
        self._orphan_since = {}
        for name, pid, started, host in session.exec(workers.where(col(Worker.name).in_(list(runs)))).all():
            job_id, attempt, sent = runs[name]
            dead = host == socket.gethostname() and not _is_alive(pid)
            if not dead and (sent is None or started <= sent):
                continue
            lease_left_ms: Any = self._client.pttl(job_lease(job_id))
            unrenewed = lease_left_ms <= (TTL_S - DEAD_PROCESS_S) * 1000
            if lease_left_ms < 0:
                first = self._orphan_since[job_id, attempt] = since.get((job_id, attempt), now)
                unrenewed = now - first >= DEAD_PROCESS_S
            if unrenewed and mark_lost(session, job_id, attempt, "The worker's process ended."):
                repairs.append(f"orphan {job_id}-a{attempt}")
        return repairs


def _is_alive(pid: int) -> bool:
    """False also for a zombie: a process that is dead and that its parent has not waited for."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
