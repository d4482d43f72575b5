"""The stop flag in Redis, which a trainer checks after each step; its supervisor reads the status in the database."""

from functools import lru_cache

import redis
import structlog

from orchestrator.domain.redis_keys import job_stop
from orchestrator.services.redis import connect_quick

log = structlog.get_logger()
_TTL_S = 86_400


@lru_cache(maxsize=1)
def _client() -> redis.Redis:
    return connect_quick()


def set_stop_flag(job_id: int) -> None:
    """Sets the flag; never raises."""
    try:
        _client().set(job_stop(job_id), "1", ex=_TTL_S)
    except redis.RedisError as error:
        log.info("stop_flag.not_set", job=job_id, error=str(error))


def clear_stop_flag(job_id: int) -> None:
    """Clears the flag before a new attempt; never raises."""
    try:
        _client().delete(job_stop(job_id))
    except redis.RedisError as error:
        log.info("stop_flag.not_cleared", job=job_id, error=str(error))
