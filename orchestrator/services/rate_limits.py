"""Counts attempts in fixed windows, in Redis for all processes; while Redis is away this process counts in memory."""

import ipaddress
import math
import time
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TypeVar

import structlog
from limits import RateLimitItem
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import FixedWindowRateLimiter
from redis.exceptions import RedisError

from orchestrator.domain.errors import TooMany
from orchestrator.services.redis import connect_quick

log = structlog.get_logger(__name__)
T = TypeVar("T")
_NETWORK_OF_ONE_CLIENT = 64
"""Bits of an IPv6 address that name one customer: a customer may use any address of such a network."""


@lru_cache(maxsize=1)
def _in_redis() -> FixedWindowRateLimiter:
    # No retries and short timeouts: when Redis is down a login must not hang.
    pool = connect_quick(retries=0).connection_pool
    return FixedWindowRateLimiter(RedisStorage("redis://", connection_pool=pool, key_prefix="loreel:limits"))


@lru_cache(maxsize=1)
def _in_memory() -> FixedWindowRateLimiter:
    return FixedWindowRateLimiter(MemoryStorage())


def forget_counts() -> None:
    """Drops the clients and what this process counted, after settings have changed (tests)."""
    _in_redis.cache_clear()
    _in_memory.cache_clear()


def _counted(act: Callable[[FixedWindowRateLimiter], T]) -> T:
    try:
        return act(_in_redis())
    except (RedisError, OSError) as error:
        log.warning("limits.counted_in_memory", error=type(error).__name__)
        return act(_in_memory())


def check(limits: Sequence[RateLimitItem], *key: str, sentence: str) -> None:
    """Refuses when one of the limits is used up; counts nothing.

    Raises:
        TooMany: with `sentence`, which names the time as `{wait}`.
    """
    for limit in limits:
        if not _counted(lambda limiter, limit=limit: limiter.test(limit, *key)):
            raise _refusal(limit, key, sentence)


def take(limits: Sequence[RateLimitItem], *key: str, sentence: str) -> None:
    """Counts one attempt in each limit, the shortest window first; one that is refused counts in no longer window.

    Raises:
        TooMany: as `check`.
    """
    for limit in limits:
        if not _counted(lambda limiter, limit=limit: limiter.hit(limit, *key)):
            raise _refusal(limit, key, sentence)


def give_back(limits: Sequence[RateLimitItem], *key: str) -> None:
    """Takes one attempt back."""
    for limit in limits:
        name, expiry = limit.key_for(*key), limit.get_expiry()
        _counted(lambda limiter, name=name, expiry=expiry: limiter.storage.incr(name, expiry, amount=-1))


def clear(limits: Sequence[RateLimitItem], *key: str) -> None:
    """Forgets what was counted under this key, also what was counted in memory during an outage."""
    for limit in limits:
        _in_memory().clear(limit, *key)
        _counted(lambda limiter, limit=limit: limiter.clear(limit, *key))


def client_network(ip: str) -> str:
    """The address as limits count it: an IPv6 client by its network, any other text as it is."""
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        return ip
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address, _NETWORK_OF_ONE_CLIENT), strict=False))


def wait_in_words(seconds: int) -> str:
    """A waiting time for a sentence: seconds up to two minutes, then whole minutes."""
    if seconds <= 120:
        return "1 second" if seconds == 1 else f"{seconds} seconds"
    return f"{math.ceil(seconds / 60)} minutes"


def _refusal(limit: RateLimitItem, key: tuple[str, ...], sentence: str) -> TooMany:
    reset = _counted(lambda limiter: limiter.get_window_stats(limit, *key).reset_time)
    seconds = max(1, math.ceil(reset - time.time()))
    return TooMany(sentence.format(wait=wait_in_words(seconds)), retry_after_s=seconds)
