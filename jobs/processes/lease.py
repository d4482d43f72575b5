"""A run's lease in Redis: its attempt number, gone 6 s after the last beat; a newer attempt fences off older ones."""

import contextlib
import threading
import time

import redis

from orchestrator.services.redis import connect

TTL_S = 6.0
BEAT_S = 1.0
_BEAT = """
local holder = redis.call('GET', KEYS[1])
if holder and tonumber(holder) and tonumber(holder) > tonumber(ARGV[1]) then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
"""
_RELEASE = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"


class Lease:
    """One run's lease. Never raises when Redis is away: the run continues without it."""

    def __init__(self, key: str, attempt: int) -> None:
        self.key, self.attempt = key, attempt
        self.fenced = False
        """True once a newer attempt has the lease: this run must end at once and write nothing more."""
        self.reached_at = time.monotonic()
        """When Redis last answered."""
        self._released = threading.Event()
        # No retries and a short limit: the caller watches a trainer meanwhile.
        self._client = connect(retries=0, socket_timeout=2.0, socket_connect_timeout=2)

    def keep(self) -> None:
        """Beats once a second until `release`, from a thread: a database that is busy for seconds must not delay it."""
        self.beat()
        threading.Thread(target=self._loop, daemon=True, name="lease").start()

    def beat(self) -> bool:
        """Renews the lease; False when the run is fenced off."""
        if not self.fenced:
            with contextlib.suppress(redis.RedisError, OSError):
                self.fenced = not self._client.eval(_BEAT, 1, self.key, str(self.attempt), str(int(TTL_S * 1000)))
                self.reached_at = time.monotonic()
        return not self.fenced

    def _loop(self) -> None:
        while not self._released.wait(BEAT_S) and self.beat():
            pass

    def release(self) -> None:
        """Deletes the lease, if this attempt still has it."""
        self._released.set()
        with contextlib.suppress(redis.RedisError, OSError):
            self._client.eval(_RELEASE, 1, self.key, str(self.attempt))

    def leave(self) -> None:
        """Beats no more, and leaves the key as it is: another worker may beat with the same number."""
        self._released.set()

    def flag(self, key: str) -> bool:
        """Whether a key exists; False when Redis is away."""
        try:
            return bool(self._client.exists(key))
        except (redis.RedisError, OSError):
            return False
