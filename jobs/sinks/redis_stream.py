"""The live copy of a run's records: a thread sends each to two Redis streams; an outage of Redis never slows a step."""

import contextlib
import threading
import time
from collections import deque
from typing import Any

from orchestrator.domain.live_records import RunRecord, pack
from orchestrator.domain.redis_keys import JOB_STREAM_TTL_S

_MAX_WAITING = 20_000
_BATCH = 500
_POLL_S = 1.0


class RedisSink:
    """Sends records, and checks once a second whether the run was asked to stop.

    Args:
        streams: names of the streams; the last one, the job's own, is kept for some days.
        maxlen: records that a stream holds at most, about.
        stop_key: the key that asks for a stop.

    Attributes:
        stop_asked: True once `stop_key` exists.
    """

    def __init__(self, url: str, streams: list[str], maxlen: int, stop_key: str = "") -> None:
        self._url, self._streams, self._maxlen, self._stop_key = url, streams, maxlen, stop_key
        self._waiting: deque[RunRecord] = deque(maxlen=_MAX_WAITING)
        self._wake, self._closing = threading.Event(), threading.Event()
        self.stop_asked = False
        self._thread = threading.Thread(target=self._loop, daemon=True, name="redis-sink")
        self._thread.start()

    def put(self, record: RunRecord) -> None:
        self._waiting.append(record)
        self._wake.set()

    def close(self) -> None:
        self._closing.set()
        self._wake.set()
        self._thread.join(2.0)

    def _loop(self) -> None:
        import redis

        client = redis.Redis.from_url(self._url, socket_timeout=2.0, socket_connect_timeout=2.0)
        deadline = None
        while True:
            try:
                self._send(client)
                if self._closing.is_set() and not self._waiting:
                    break
            except (redis.RedisError, OSError):
                time.sleep(0.2 if self._closing.is_set() else 0.5)
            if self._closing.is_set():
                deadline = deadline or time.monotonic() + 2.0
                if time.monotonic() > deadline:
                    break
            else:
                self._wake.wait(_POLL_S)
                self._wake.clear()
        with contextlib.suppress(redis.RedisError, OSError):
            client.close()

    def _send(self, client: Any) -> None:
        """Sends what waits in one pipeline; records leave the queue only when Redis has them."""
        batch = [self._waiting[i] for i in range(min(_BATCH, len(self._waiting)))]
        with client.pipeline(transaction=False) as pipe:
            for record in batch:
                packed = {"d": pack(record)}
                for stream in self._streams:
                    pipe.xadd(stream, packed, maxlen=self._maxlen, approximate=True)
            if self._stop_key:
                pipe.exists(self._stop_key)
            if batch and batch[0]["seq"] % 100 < len(batch) and self._streams:
                pipe.expire(self._streams[-1], JOB_STREAM_TTL_S)
            answers = pipe.execute()
        if self._stop_key and answers[len(batch) * len(self._streams)]:
            self.stop_asked = True
        for _ in batch:
            self._waiting.popleft()
