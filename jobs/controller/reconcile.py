"""Makes Redis and the machines agree with the ledger again: letters that vanished, runs whose lease fell silent."""

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

SILENT_S = 2.5
"""How long a lease must be gone: after a FLUSHALL the living beat again within one second."""

DEAD_S = 2.5
"""How long a lease must be unbeaten when the worker's process is seen to be gone: a living run beats each second."""

LETTER_S = 5.0
"""How long a queued job may have no letter in the box: a worker holds one for milliseconds only."""


class Reconciler:
    """Remembers since when something looks wrong; acts only when it has looked wrong for long enough.

    Args:
        client: a Redis client without retries, so that an absence is seen as one.
        clock: seconds, monotonic.
    """

    def __init__(self, client: redis.Redis, clock: Callable[[], float] = time.monotonic) -> None:
        self._client, self._clock = client, clock
        self._redis_since: float | None = None
        self._silent: dict[tuple[int, int], float] = {}
        self._letterless: dict[str, float] = {}

    def tick(self, session: Session) -> list[str]:
        """One look at everything; says what was mended. Raises redis.RedisError when Redis is away."""
        try:
            info: Any = self._client.info("server")
        except (redis.RedisError, OSError):
            # Nobody can beat now, so nobody may be judged; and after it the clocks start anew.
            self._redis_since = None
            self._silent.clear()
            self._letterless.clear()
            raise
        now = self._clock()
        if self._redis_since is None:
            self._redis_since = now
        mended = self._letters(session, now)
        # No verdicts for one lease period after Redis came back, whether we saw it go or not.
        if min(now - self._redis_since, float(info["uptime_in_seconds"])) >= TTL_S:
            mended += self._leases(session, now)
        else:
            self._silent.clear()
        return mended

    def _letters(self, session: Session, now: float) -> list[str]:
        """Whose turn it is gets a letter, and so does who lost theirs: Redis was away at the commit, or was emptied."""
        mended = [f"sent {job_id}" for job_id in dispatch(session)]
        queued = select(TrainingJob.id, TrainingJob.attempt, TrainingJob.pool).where(
            TrainingJob.status == JobStatus.QUEUED, col(TrainingJob.sent_at).is_not(None)
        )
        jobs = {
            train_key(job_id or 0, attempt + 1): (job_id or 0, attempt + 1, pool or CPU)
            for job_id, attempt, pool in session.exec(queued.order_by(col(TrainingJob.id)))
        }
        if not jobs:
            self._letterless.clear()
            return mended
        pools = {pool for _, _, pool in jobs.values()}
        waiting = {key for pool in pools for key in waiting_keys(pool)}
        # A box whose workers are all gone while others take letters: its letters would wait for nobody.
        taking = set(open_pools(session))
        shut = pools - taking if taking else set()
        wrong = [key for key, (_, _, pool) in jobs.items() if key not in waiting or pool in shut]
        self._letterless = {key: self._letterless.get(key, now) for key in wrong}
        for key, since in list(self._letterless.items()):
            if now - since >= LETTER_S:
                job_id, attempt, pool = jobs[key]
                withdraw(key, pool)
                if pool in shut:
                    return_to_queue(session, job_id, attempt)
                else:
                    enqueue(TASK_TRAIN, key, pool, job_id=job_id, attempt=attempt)
                del self._letterless[key]
                mended.append(f"letter {key}")
        return mended

    def _leases(self, session: Session, now: float) -> list[str]:
        """Runs whose lease is gone are lost: their worker, horse or host is dead."""
        held = select(TrainingJob.id, TrainingJob.attempt, TrainingJob.worker, TrainingJob.sent_at)
        rows = session.exec(held.where(col(TrainingJob.status).in_(ON_WORKER))).all()
        if not rows:
            self._silent.clear()
            return []
        jobs = [(job_id or 0, attempt) for job_id, attempt, _, _ in rows]
        mended = self._orphans(session, {name: (job_id or 0, attempt, sent) for job_id, attempt, name, sent in rows})
        beats: list[bytes | None] = self._client.mget([job_lease(job_id) for job_id, _ in jobs])  # type: ignore[assignment]
        silent = [job for job, beat in zip(jobs, beats, strict=True) if beat is None]
        self._silent = {job: self._silent.get(job, now) for job in silent}
        for (job_id, attempt), since in list(self._silent.items()):
            if now - since >= SILENT_S and mark_lost(session, job_id, attempt, "The worker fell silent."):
                del self._silent[job_id, attempt]
                mended.append(f"lost {job_id}-a{attempt}")
        return mended

    def _orphans(self, session: Session, held: dict[str, tuple[int, int, datetime | None]]) -> list[str]:
        """Runs whose worker's process is gone from this very host, or was started anew since: no need to wait longer.

        Two containers may share a host's name and not its processes, and a job may be sent before its worker starts;
        so a lease that is still beaten has the last word.
        """
        known = select(Worker.name, Worker.pid, Worker.started_at, Worker.host)
        mended = []
        for name, pid, started, host in session.exec(known.where(col(Worker.name).in_(list(held)))).all():
            job_id, attempt, sent = held[name]
            gone = host == socket.gethostname() and not _lives(pid)
            if not gone and (sent is None or started <= sent):
                continue
            left: Any = self._client.pttl(job_lease(job_id))
            if left <= (TTL_S - DEAD_S) * 1000 and mark_lost(session, job_id, attempt, "The worker's process ended."):
                mended.append(f"orphan {job_id}-a{attempt}")
        return mended


def _lives(pid: int) -> bool:
    """False also for a process that is dead and only waits for its parent to notice."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
