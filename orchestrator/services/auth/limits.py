"""Slows down guessing: how many logins may fail a minute, by account and by address."""

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
    # No patience here: with Redis away a login must not hang, the memory of this process counts instead.
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
    # Counted before the password is looked at: a hundred guesses at once get no more than five answers.
    if not limiter.hit(PER_ACCOUNT, account, ip):
        _refuse(limiter, PER_ACCOUNT, account, ip)


def begin_attempt(account: str, ip: str) -> None:
    """Counts one attempt on `account` from `ip`.

    Raises:
        TooMany: with the seconds to wait.
    """
    try:
        _begin(_in_redis(), account, ip)
    except (RedisError, OSError) as error:
        log.warning("login_limit_in_memory", error=str(error))
        _begin(_in_memory(), account, ip)


def attempt_failed(ip: str) -> None:
    """Counts a failure against the address; the account's was counted when it began."""
    try:
        _in_redis().hit(PER_ADDRESS, ip)
    except (RedisError, OSError):
        _in_memory().hit(PER_ADDRESS, ip)


def attempt_succeeded(account: str, ip: str) -> None:
    """A right password clears the account's count, not the address's: one own account frees no guessing on others."""
    _in_memory().clear(PER_ACCOUNT, account, ip)
    try:
        _in_redis().clear(PER_ACCOUNT, account, ip)
    except (RedisError, OSError) as error:
        log.warning("login_limit_in_memory", error=str(error))


def forget_clients() -> None:
    """Drops the cached clients: settings changed (tests)."""
    _in_redis.cache_clear()
    _in_memory.cache_clear()
