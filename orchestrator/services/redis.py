"""The only module that makes Redis clients: they retry for long enough to survive a restart of Redis."""

from typing import Any

import redis
import redis.asyncio as aredis
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import ExponentialBackoff
from redis.retry import Retry

from orchestrator.settings import get_settings

_LOST = (redis.ConnectionError, redis.TimeoutError, ConnectionError, OSError)


def connect(retries: int = 8, **options: Any) -> redis.Redis:
    """A client that retries for about 12 s (with 8 retries) before it raises.

    Blocking reads need `socket_timeout=None`, which is the default here; redis-py's own 5 s would end them.
    """
    options = {"socket_timeout": None, "socket_connect_timeout": 5, "health_check_interval": 30} | options
    retry = Retry(ExponentialBackoff(cap=3.0, base=0.05), retries)
    return redis.Redis.from_url(get_settings().resolved_redis_url, retry=retry, retry_on_error=list(_LOST), **options)


def connect_async(retries: int = 8, **options: Any) -> aredis.Redis:
    """The same for the event loop of the web process."""
    options = {"socket_timeout": None, "socket_connect_timeout": 5, "health_check_interval": 30} | options
    retry = AsyncRetry(ExponentialBackoff(cap=3.0, base=0.05), retries)
    return aredis.Redis.from_url(get_settings().resolved_redis_url, retry=retry, retry_on_error=list(_LOST), **options)
