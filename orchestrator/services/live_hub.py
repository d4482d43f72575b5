"""One reader of the live stream a web process, fanned out in process: 200 tabs cost what one costs Redis."""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Callable
from typing import Any

import redis.asyncio as aredis
import structlog
from redis.exceptions import RedisError

from orchestrator.domain.live_records import GapRecord, HubRecord, LiveRecord, unpack
from orchestrator.domain.redis_keys import LIVE_STREAM
from orchestrator.services.redis import connect_async

log = structlog.get_logger()
_BLOCK_MS = 15_000
_COUNT = 500
_MAX_WAIT_S = 2.0
_CALM_S = 0.02
"""Reads that follow each other more closely wait so long first: nobody sees 20 ms, and it saves most of them."""


class Subscription:
    """One listener's own queue. Records come in order; a listener too slow for them gets one `gap` instead."""

    def __init__(
        self, hub: "LiveHub", job_id: int | None, size: int, wants: Callable[[HubRecord], bool] | None = None
    ) -> None:
        self._hub, self.job_id, self._size, self._wants = hub, job_id, size, wants
        self._waiting: deque[HubRecord] = deque()
        self._ready = asyncio.Event()
        self._closed = False

    def put(self, record: HubRecord) -> None:
        """Hands a record over, if it is wanted; when the queue is full, everything in it becomes one gap."""
        if self._wants is not None and not self._wants(record):
            return
        if len(self._waiting) >= self._size:
            self._waiting.clear()
            record = gap(self.job_id)
        self._waiting.append(record)
        self._ready.set()

    async def take(self, timeout: float | None = None) -> list[HubRecord]:
        """All records that wait, in order; waits for the first one, and gives [] at the time limit or when closed."""
        if not self._waiting and not self._closed:
            try:
                async with asyncio.timeout(timeout):
                    await self._ready.wait()
            except TimeoutError:
                return []
        found, self._waiting = list(self._waiting), deque()
        self._ready.clear()
        return found

    def close(self) -> None:
        """Ends the subscription; whoever waits is woken."""
        self._closed = True
        self._hub.drop(self)
        self._ready.set()

    @property
    def closed(self) -> bool:
        return self._closed


class LiveHub:
    """Reads the firehose and hands each record to the listeners of its job and to those of all jobs.

    A `gap` record ({"kind": "gap", "job": id or None}) says that records may be missing: ask
    `metrics.history` for what is newer than the last seq, and the job for its status.
    """

    def __init__(self, client: aredis.Redis | None = None) -> None:
        self._client = client
        self._by_job: dict[int | None, set[Subscription]] = {}
        self._task: asyncio.Task[None] | None = None
        self._started: asyncio.Event | None = None
        self._last = "$"
        self._read_at = 0.0
        self.connected = False

    async def start(self) -> None:
        """Starts the reader on this event loop; does nothing when it runs."""
        if self._task is None or self._task.done():
            self._started = asyncio.Event()
            self._task = asyncio.create_task(self._read_for_ever(), name="live-hub")

    async def stop(self) -> None:
        """Ends the reader and every subscription."""
        for subscription in [s for group in self._by_job.values() for s in group]:
            subscription.close()
        if self._task is not None:
            # Asked again until it is over: the client swallows a cancel that meets it in the middle of a reply.
            while not self._task.done():
                self._task.cancel()
                await asyncio.wait([self._task], timeout=0.5)
            self._task = None
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def listen(
        self, job_id: int | None = None, size: int = 2_000, wants: Callable[[HubRecord], bool] | None = None
    ) -> Subscription:
        """A subscription from this moment on: to one job, or to all (None). Close it when done.

        `wants` picks records before anybody is woken for them; a `gap` comes through it, too.

        What is published after this returns is delivered: subscribe first, then ask for the history.
        """
        await self.start()
        subscription = Subscription(self, job_id, size, wants)
        self._by_job.setdefault(job_id, set()).add(subscription)
        if self._started is not None and not self._started.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(2.0):
                    await self._started.wait()
        return subscription

    def drop(self, subscription: Subscription) -> None:
        """Forgets a listener."""
        group = self._by_job.get(subscription.job_id)
        if group is not None:
            group.discard(subscription)
            if not group:
                del self._by_job[subscription.job_id]

    @property
    def listeners(self) -> int:
        return sum(len(group) for group in self._by_job.values())

    async def _read_for_ever(self) -> None:
        wait = 0.05
        while True:
            try:
                if self._client is None:
                    # No retries below: this loop is the patience, and it must see each loss to announce a gap.
                    self._client = connect_async(retries=0, socket_timeout=_BLOCK_MS / 1000 + 10)
                await self._read()
                wait = 0.05
            except (RedisError, OSError) as error:
                if self.connected:
                    log.info("live.redis_lost", error=str(error))
                self.connected = False
                await asyncio.sleep(wait)
                wait = min(wait * 2, _MAX_WAIT_S)

    async def _read(self) -> None:
        assert self._client is not None
        if not self.connected:
            await self._begin()
        if time.monotonic() - self._read_at < _CALM_S:
            # Many runs at once: their records come in groups, for one turn of the loop each would cost.
            await asyncio.sleep(_CALM_S)
        found: Any = await self._client.xread({LIVE_STREAM: self._last}, count=_COUNT, block=_BLOCK_MS)
        entries = found.get(LIVE_STREAM.encode(), []) if isinstance(found, dict) else (found[0][1] if found else [])
        # A RESP3 answer nests one list deeper than a RESP2 one.
        if entries and isinstance(entries[0], list) and entries[0] and isinstance(entries[0][0], list | tuple):
            entries = [entry for part in entries for entry in part]
        self._read_at = time.monotonic()
        for entry_id, fields in entries:
            self._last = entry_id.decode()
            record = unpack(fields.get(b"d", b""))
            if record is not None:
                self._fan_out(record)

    async def _begin(self) -> None:
        """Finds the place to read from. After a loss everyone is told of a gap: the stream may have been emptied."""
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
    """The mark that records may be missing here."""
    return {"job": job_id, "attempt": 0, "seq": 0, "kind": "gap"}


def _id(stream_id: str) -> tuple[int, int]:
    time_ms, _, number = stream_id.partition("-")
    return int(time_ms), int(number or 0)


_hub: LiveHub | None = None


def get_hub() -> LiveHub:
    """The web process's hub; start it in the app's lifespan, or let the first listener do it."""
    global _hub
    if _hub is None:
        _hub = LiveHub()
    return _hub
