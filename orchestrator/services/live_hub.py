"""Reads the live stream once for each web process and distributes it there: 200 tabs cost Redis as much as one."""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Callable
from typing import Any

import redis.asyncio as aredis
import structlog
from redis.exceptions import RedisError

from orchestrator.domain.live_attempts import CurrentAttempts
from orchestrator.domain.live_records import GapRecord, HubRecord, LiveRecord, unpack
from orchestrator.domain.redis_keys import LIVE_STREAM
from orchestrator.services.redis import connect_async

log = structlog.get_logger()
_BLOCK_MS = 15_000
_MAX_RECORDS = 500
_MAX_RETRY_WAIT_S = 2.0
_MIN_INTERVAL_S = 0.02
"""Reads are at least so far apart: 20 ms cannot be seen, and under load most reads are saved."""


class Subscription:
    """The queue of one subscriber. Records come in order; a subscriber that is too slow gets one `gap` instead."""

    def __init__(
        self, hub: "LiveHub", job_id: int | None, size: int, accepts: Callable[[HubRecord], bool] | None = None
    ) -> None:
        self._hub, self.job_id, self._size, self._accepts = hub, job_id, size, accepts
        self._waiting: deque[HubRecord] = deque()
        self._ready = asyncio.Event()
        self._closed = False

    def put(self, record: HubRecord) -> None:
        """Adds a record that is accepted; when the queue is full, everything in it is replaced by one gap."""
        if self._accepts is not None and not self._accepts(record):
            return
        if len(self._waiting) >= self._size:
            self._waiting.clear()
            record = gap(self.job_id)
        self._waiting.append(record)
        self._ready.set()

    async def take(self, timeout: float | None = None) -> list[HubRecord]:
        """All records that wait, in order. Waits for the first one; [] at the time limit or when closed."""
        if not self._waiting and not self._closed:
            try:
                async with asyncio.timeout(timeout):
                    await self._ready.wait()
            except TimeoutError:
                return []
        records, self._waiting = list(self._waiting), deque()
        self._ready.clear()
        return records

    def close(self) -> None:
        """Ends the subscription; a `take` that waits returns."""
        self._closed = True
        self._hub.unsubscribe(self)
        self._ready.set()

    @property
    def closed(self) -> bool:
        return self._closed


class LiveHub:
    """Reads the live stream and hands each record to the subscribers of its job and to those of all jobs.

    A `gap` record says that records may be missing: ask `metrics.history` for what is newer than the last seq, and
    SQL for the job's status.
    """

    def __init__(self, client: aredis.Redis | None = None) -> None:
        self._client = client
        self._by_job: dict[int | None, set[Subscription]] = {}
        self._task: asyncio.Task[None] | None = None
        self._started: asyncio.Event | None = None
        self._last = "$"
        self._read_at = 0.0
        self._attempts = CurrentAttempts()
        self.connected = False

    async def start(self) -> None:
        """Starts the reader on this event loop, unless it runs."""
        if self._task is None or self._task.done():
            self._started = asyncio.Event()
            self._task = asyncio.create_task(self._read_until_cancelled(), name="live-hub")

    async def stop(self) -> None:
        """Ends the reader and every subscription."""
        for subscription in [s for group in self._by_job.values() for s in group]:
            subscription.close()
        if self._task is not None:
            # Cancelled until it ends: the Redis client swallows a cancel in the middle of a reply.
            while not self._task.done():
                self._task.cancel()
                await asyncio.wait([self._task], timeout=0.5)
            self._task = None
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def subscribe(
        self, job_id: int | None = None, size: int = 2_000, accepts: Callable[[HubRecord], bool] | None = None
    ) -> Subscription:
        """Subscribes to the records of one job, or of all (None), from now on. Close the subscription when done.

        Everything that is published after this returns is delivered: subscribe first, then read the history.

        Args:
            size: records that may wait.
            accepts: picks records before a waiting `take` is woken; it decides about `gap` too.
        """
        await self.start()
        subscription = Subscription(self, job_id, size, accepts)
        self._by_job.setdefault(job_id, set()).add(subscription)
        if self._started is not None and not self._started.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(2.0):
                    await self._started.wait()
        return subscription

    def unsubscribe(self, subscription: Subscription) -> None:
        """Removes a subscription; `Subscription.close` calls this."""
        group = self._by_job.get(subscription.job_id)
        if group is not None:
            group.discard(subscription)
            if not group:
                del self._by_job[subscription.job_id]

    @property
    def listeners(self) -> int:
        return sum(len(group) for group in self._by_job.values())

    async def _read_until_cancelled(self) -> None:
        retry_wait = 0.05
        while True:
            try:
                if self._client is None:
                    # The client does not retry: this loop does, and it must see each outage to report a gap.
                    self._client = connect_async(retries=0, socket_timeout=_BLOCK_MS / 1000 + 10)
                await self._read()
                retry_wait = 0.05
            except (RedisError, OSError) as error:
                if self.connected:
                    log.info("live.redis_lost", error=str(error))
                self.connected = False
                await asyncio.sleep(retry_wait)
                retry_wait = min(retry_wait * 2, _MAX_RETRY_WAIT_S)

    async def _read(self) -> None:
        assert self._client is not None
        if not self.connected:
            await self._find_start()
        if time.monotonic() - self._read_at < _MIN_INTERVAL_S:
            # Many runs at once: their records are read in groups, since each read costs a turn of the event loop.
            await asyncio.sleep(_MIN_INTERVAL_S)
        answer: Any = await self._client.xread({LIVE_STREAM: self._last}, count=_MAX_RECORDS, block=_BLOCK_MS)
        entries = answer.get(LIVE_STREAM.encode(), []) if isinstance(answer, dict) else (answer[0][1] if answer else [])
        # A RESP3 answer nests one list deeper than a RESP2 one.
        if entries and isinstance(entries[0], list) and entries[0] and isinstance(entries[0][0], list | tuple):
            entries = [entry for part in entries for entry in part]
        self._read_at = time.monotonic()
        for entry_id, fields in entries:
            self._last = entry_id.decode()
            record = unpack(fields.get(b"d", b""))
            if record is not None and self._attempts.accept(record):
                self._fan_out(record)

    async def _find_start(self) -> None:
        """Finds the entry to read from. After an outage each subscriber gets a gap: the stream may be a new one."""
        assert self._client is not None
        newest: Any = await self._client.xrevrange(LIVE_STREAM, count=1)
        first_time = self._started is not None and not self._started.is_set()
        end = newest[0][0].decode() if newest else "0-0"
        if self._last == "$" or _id(end) < _id(self._last):
            self._last = end
        self.connected = True
        if self._started is not None:
            self._started.set()
        if not first_time:
            for job_id, group in list(self._by_job.items()):
                for subscription in list(group):
                    subscription.put(gap(job_id))

    def _fan_out(self, record: LiveRecord) -> None:
        for key in (record["job"], None):
            for subscription in self._by_job.get(key, ()):
                subscription.put(record)


def gap(job_id: int | None) -> GapRecord:
    """The record that says that records may be missing."""
    return {"job": job_id, "attempt": 0, "seq": 0, "kind": "gap"}


def _id(stream_id: str) -> tuple[int, int]:
    time_ms, _, number = stream_id.partition("-")
    return int(time_ms), int(number or 0)


_hub: LiveHub | None = None


def get_hub() -> LiveHub:
    """The hub of this web process. It starts with the app, or with its first subscriber."""
    global _hub
    if _hub is None:
        _hub = LiveHub()
    return _hub
