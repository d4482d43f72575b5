"""Puts a record on the live streams for somebody who is not the trainer: a status that moved, a line for the log."""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import redis
import structlog

from orchestrator.domain.live_records import pack
from orchestrator.domain.redis_keys import LIVE_STREAM, STREAM_MAXLEN, job_lease, job_stop, job_stream
from orchestrator.services.redis import connect

log = structlog.get_logger()
_TTL_S = 7 * 86_400


@lru_cache(maxsize=1)
def _client() -> redis.Redis:
    return connect(retries=1, socket_timeout=3.0)


def forget(job_id: int) -> None:
    """Removes a deleted job's keys; SQLite may give its number to the next job."""
    try:
        _client().delete(job_stream(job_id), job_stop(job_id), job_lease(job_id))
    except redis.RedisError as error:
        log.info("announce.not_forgotten", job=job_id, error=str(error))


def announce(job_id: int, attempt: int, kind: str, **fields: Any) -> bool:
    """Sends one record with seq 0, which pages do not count for gaps; False when Redis does not answer.

    SQL already holds what is announced, so a page that missed it sees it at its next look.
    """
    record = {"job": job_id, "attempt": attempt, "seq": 0, "t": datetime.now(UTC).isoformat(), "kind": kind, **fields}
    packed: dict[Any, Any] = {"d": pack(record)}
    try:
        with _client().pipeline(transaction=False) as pipe:
            pipe.xadd(LIVE_STREAM, packed, maxlen=STREAM_MAXLEN, approximate=True)
            pipe.xadd(job_stream(job_id), packed, maxlen=STREAM_MAXLEN, approximate=True)
            pipe.expire(job_stream(job_id), _TTL_S)
            pipe.execute()
    except redis.RedisError as error:
        log.info("announce.not_sent", job=job_id, kind=kind, error=str(error))
        return False
    return True


def broadcast(channel: int, kind: str, **fields: Any) -> bool:
    """Sends one record to open pages only: for what nobody has to read later, or reads from SQL.

    Args:
        channel: a job's number, or `letterbox.notice_channel` of a person.
    """
    record = {"job": channel, "attempt": 0, "seq": 0, "t": datetime.now(UTC).isoformat(), "kind": kind, **fields}
    packed: dict[Any, Any] = {"d": pack(record)}
    try:
        _client().xadd(LIVE_STREAM, packed, maxlen=STREAM_MAXLEN, approximate=True)
    except (redis.RedisError, OSError) as error:
        log.info("announce.not_broadcast", channel=channel, kind=kind, error=str(error))
        return False
    return True
