"""Rate limits against password guessing: failed logins per minute, by account and by IP address."""

import math
import time
from functools import lru_cache

import structlog
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import FixedWindowRateLimiter
from redis.exceptions import RedisError

from orchestrator.domain.errors import TooMany
from orchestrator.services.redis import connect

log = structlog.get_logger(__name__)

PER_ACCOUNT = RateLimitItemPerMinute(5, namespace="login-account")
PER_ADDRESS = RateLimitItemPerMinute(30, namespace="login-address")


@lru_cache(maxsize=1)
def _in_redis() -> FixedWindowRateLimiter:
    # No retries and short timeouts: when Redis is down a login must not hang; this process counts in memory instead.
    pool = connect(retries=0, socket_timeout=1, socket_connect_timeout=1).connection_pool
    return FixedWindowRateLimiter(RedisStorage("redis://", connection_pool=pool, key_prefix="loreel:limits"))


@lru_cache(maxsize=1)
def _in_memory() -> FixedWindowRateLimiter:
    return FixedWindowRateLimiter(MemoryStorage())


def _refuse(limiter: FixedWindowRateLimiter, item: RateLimitItemPerMinute, *key: str) -> None:
    seconds = max(1, math.ceil(limiter.get_window_stats(item, *key).reset_time - time.time()))
    raise TooMany(f"Too many failed attempts. Try again in {seconds} seconds.", retry_after_s=seconds)


def _begin(limiter: FixedWindowRateLimiter, account: str, ip: str) -> None:
    if not limiter.test(PER_ADDRESS, ip):
        _refuse(limiter, PER_ADDRESS, ip)
    # Counted before the password is verified: of a hundred guesses sent at once, at most five are answered.
    if not limiter.hit(PER_ACCOUNT, account, ip):
        _refuse(limiter, PER_ACCOUNT, account, ip)


def begin_attempt(account: str, ip: str) -> None:
    """Counts one login attempt on `account` from `ip`.

    Raises:
        TooMany: too many attempts; `retry_after_s` says when the next one is possible.
    """
    try:
        _begin(_in_redis(), account, ip)
    except (RedisError, OSError) as error:
        log.warning("login_limit_in_memory", error=str(error))
        _begin(_in_memory(), account, ip)


def attempt_failed(ip: str) -> None:
    """Counts a failed attempt of this IP address; the account's attempt was counted by `begin_attempt`."""
    try:
        _in_redis().hit(PER_ADDRESS, ip)
    except (RedisError, OSError):
        _in_memory().hit(PER_ADDRESS, ip)


def attempt_succeeded(account: str, ip: str) -> None:
    """Resets the account's count after a correct password.

    The count of the address stays: logging in to one's own account must not reset a limit on guessing at others.
    """
    _in_memory().clear(PER_ACCOUNT, account, ip)
    try:
        _in_redis().clear(PER_ACCOUNT, account, ip)
    except (RedisError, OSError) as error:
        log.warning("login_limit_in_memory", error=str(error))


def forget_clients() -> None:
    """Drops the cached clients, after settings have changed (tests)."""
    _in_redis.cache_clear()
    _in_memory.cache_clear()
