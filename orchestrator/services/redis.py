"""The only module that makes Redis clients: with limits on each wait, and retries that survive a restart of Redis."""

import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import redis
import redis.asyncio as aredis
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import ExponentialBackoff
from redis.retry import Retry

from orchestrator.settings import get_settings

_LOST = (redis.ConnectionError, redis.TimeoutError, ConnectionError, OSError)
_KEEP_ALIVE = {socket.TCP_KEEPIDLE: 10, socket.TCP_KEEPINTVL: 5, socket.TCP_KEEPCNT: 3}
"""A lost peer is noticed within 25 s, also by a blocking read without a limit."""
QUICK_S = 1.5
"""How long a client of `connect_quick` waits for an answer."""
_REST_S = 2.0


def connect(retries: int = 8, **options: Any) -> redis.Redis:
    """A client that retries for about 12 s (with 8 retries) before it raises.

    Blocking reads need `socket_timeout=None`, which is the default here; redis-py's own 5 s would end them.
    """
    retry = Retry(ExponentialBackoff(cap=3.0, base=0.05), retries, _LOST)
    return redis.Redis.from_url(get_settings().resolved_redis_url, retry=retry, **_with_defaults(options))


def connect_async(retries: int = 8, **options: Any) -> aredis.Redis:
    """The same for the event loop of the web process."""
    retry = AsyncRetry(ExponentialBackoff(cap=3.0, base=0.05), retries)
    options = _with_defaults(options)
    return aredis.Redis.from_url(get_settings().resolved_redis_url, retry=retry, retry_on_error=list(_LOST), **options)


def connect_quick(retries: int = 1) -> redis.Redis:
    """A client for requests, which people wait for: no command takes much longer than `QUICK_S`.

    After one that timed out, all fail at once for two seconds: a request may need several.
    """
    options = _with_defaults({"socket_timeout": QUICK_S, "socket_connect_timeout": QUICK_S})
    return redis.Redis.from_url(get_settings().resolved_redis_url, retry=_QuickRetry(retries), **options)


def _with_defaults(options: dict[str, Any]) -> dict[str, Any]:
    defaults: dict[str, Any] = {"socket_timeout": None, "socket_connect_timeout": 5, "health_check_interval": 30}
    if not get_settings().resolved_redis_url.startswith("unix:"):
        defaults |= {"socket_keepalive": True, "socket_keepalive_options": _KEEP_ALIVE}
    return defaults | options


class _QuickRetry(Retry):
    """Retries a lost connection, as after a restart, and never a command that timed out."""

    _resting_until = 0.0
    _lock = threading.Lock()

    def __init__(self, retries: int) -> None:
        super().__init__(ExponentialBackoff(cap=0.1, base=0.05), retries, (redis.ConnectionError, ConnectionError))

    def call_with_retry(self, do: Callable[..., Any], fail: Callable[..., Any], *args: Any, **options: Any) -> Any:
        """As redis-py's; fails at once shortly after a command of this process timed out."""
        if time.monotonic() < _QuickRetry._resting_until:
            raise redis.TimeoutError("Redis did not answer a moment ago.")
        try:
            return super().call_with_retry(do, fail, *args, **options)
        except (redis.TimeoutError, TimeoutError):
            with self._lock:
                _QuickRetry._resting_until = time.monotonic() + _REST_S
            raise
