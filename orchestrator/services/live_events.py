"""Publishes live records that do not come from a trainer: a job's new status, a line of its log, a notification."""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import redis
import structlog

from orchestrator.domain.live_records import Head, LiveRecord, LogLevel, NoticeRecord, StatusRecord, SystemSample, pack
from orchestrator.domain.redis_keys import (
    JOB_STREAM_TTL_S,
    LIVE_STREAM,
    STREAM_MAXLEN,
    job_lease,
    job_stop,
    job_stream,
    notice_channel,
)
from orchestrator.services.redis import connect_quick

log = structlog.get_logger()


@lru_cache(maxsize=1)
def _client() -> redis.Redis:
    return connect_quick()


def forget(job_id: int) -> None:
    """Removes the keys of a deleted job."""
    try:
        _client().delete(job_stream(job_id), job_stop(job_id), job_lease(job_id))
    except redis.RedisError as error:
        log.info("live.not_forgotten", job=job_id, error=str(error))


def publish_status(job_id: int, attempt: int, status: str, error: str = "", owner: int | None = None) -> bool:
    """The job has moved to another status."""
    record: StatusRecord = {**_head(job_id, attempt), "kind": "status", "status": status, "error": error}
    if owner is not None:
        record["owner"] = owner
    return publish(record)


def publish_log(job_id: int, attempt: int, level: LogLevel, message: str) -> bool:
    """A line for the job's log."""
    return publish({**_head(job_id, attempt), "kind": "log", "level": level, "message": message})


def publish_noted(job_id: int, attempt: int) -> bool:
    """The job in SQL has new notes or samples."""
    return publish({**_head(job_id, attempt), "kind": "noted"})


def publish_system(job_id: int, sample: SystemSample) -> bool:
    """What the run takes of its machine now."""
    return publish({**_head(job_id, 0), **sample, "kind": "system"}, keep=False)


def publish_notice(
    user_id: int, notice_id: int = 0, what: str = "", title: str = "", body: str = "", about: int | None = None
) -> bool:
    """A person has a new notification; without `notice_id`, has read some elsewhere."""
    record: NoticeRecord = {**_head(notice_channel(user_id), 0), "kind": "notice"}
    if notice_id:
        record |= {"id": notice_id, "what": what, "title": title, "body": body, "about": about}
    return publish(record, keep=False)


def publish(record: LiveRecord, keep: bool = True) -> bool:
    """Sends a record to every open page, after the commit of what it says: a page that missed it reads SQL.

    Args:
        keep: append it to the job's own stream too, from which a page fills a gap.

    Returns:
        False when Redis does not answer.
    """
    entry: dict[Any, Any] = {"d": pack(record)}
    try:
        with _client().pipeline(transaction=False) as pipe:
            pipe.xadd(LIVE_STREAM, entry, maxlen=STREAM_MAXLEN, approximate=True)
            if keep:
                stream = job_stream(record["job"])
                pipe.xadd(stream, entry, maxlen=STREAM_MAXLEN, approximate=True)
                pipe.expire(stream, JOB_STREAM_TTL_S)
            pipe.execute()
    except (redis.RedisError, OSError) as error:
        log.info("live.not_published", job=record["job"], kind=record["kind"], error=str(error))
        return False
    return True


def _head(job: int, attempt: int) -> Head:
    """Seq 0: only the trainer's records are numbered, so that no page takes another for a missing one."""
    return {"job": job, "attempt": attempt, "seq": 0, "t": datetime.now(UTC).isoformat()}
