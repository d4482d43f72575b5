"""A run's sign of life with its attempt number: gone 6 s after the last beat; a higher attempt fences an older off."""

import contextlib
import threading

import redis

from orchestrator.services.redis import connect

TTL_S = 6.0
BEAT_S = 1.0
_BEAT = """
local held = redis.call('GET', KEYS[1])
if held and tonumber(held) and tonumber(held) > tonumber(ARGV[1]) then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
"""
_RELEASE = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"


class Lease:
    """One run's lease. Never raises when Redis is away: a run goes on without it."""

    def __init__(self, key: str, attempt: int) -> None:
        self.key, self.attempt = key, attempt
        self.fenced = False
        """True once a newer attempt was seen: this run must end at once and write nothing more."""
        self._over = threading.Event()
        # No retries and a short limit: whoever beats has a trainer to watch and may not wait.
        self._client = connect(retries=0, socket_timeout=2.0, socket_connect_timeout=2)

    def keep(self) -> None:
        """Beats once a second until `release`, in a thread: a database that is busy for seconds must not silence it."""
        self.beat()
        threading.Thread(target=self._loop, daemon=True, name="lease").start()

    def beat(self) -> bool:
        """One beat; False when the run is fenced off."""
        if not self.fenced:
            with contextlib.suppress(redis.RedisError, OSError):
                self.fenced = not self._client.eval(_BEAT, 1, self.key, str(self.attempt), str(int(TTL_S * 1000)))
        return not self.fenced

    def _loop(self) -> None:
        while not self._over.wait(BEAT_S) and self.beat():
            pass

    def release(self) -> None:
        """Gives the lease up, if it is still ours."""
        self._over.set()
        with contextlib.suppress(redis.RedisError, OSError):
            self._client.eval(_RELEASE, 1, self.key, str(self.attempt))

    def flag(self, key: str) -> bool:
        """Whether a key exists; False when Redis is away."""
        try:
            return bool(self._client.exists(key))
        except (redis.RedisError, OSError):
            return False
