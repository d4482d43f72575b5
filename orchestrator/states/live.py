"""The web process's one live hub, its life, and how a page's events drink from it in small sips."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from orchestrator.services.live import LiveHub

WINDOW_S = 0.05
"""Records that arrive within this time travel to the browser together."""

Record = dict[str, Any]
_hubs: list[LiveHub] = []


@asynccontextmanager
async def hub_lifespan(_app: Any = None) -> AsyncIterator[None]:
    """Opens the hub with the web process and closes it with it."""
    made = LiveHub()
    await made.start()
    _hubs.append(made)
    try:
        yield
    finally:
        _hubs.remove(made)
        await made.stop()


def hub() -> LiveHub:
    """The hub of this process.

    Raises:
        RuntimeError: the web process was started without `hub_lifespan`.
    """
    if not _hubs:
        raise RuntimeError("The live hub has not been started.")
    return _hubs[-1]


async def _pour(records: AsyncIterator[Record], into: "asyncio.Queue[Record | None]") -> None:
    try:
        async for record in records:
            into.put_nowait(record)
    finally:
        into.put_nowait(None)


async def _sips(waiting: "asyncio.Queue[Record | None]", window_s: float) -> AsyncIterator[list[Record]]:
    """The first record opens a window; what arrives while it is open goes along, so none waits longer."""
    while (first := await waiting.get()) is not None:
        await asyncio.sleep(window_s)
        batch: list[Record] = [first]
        while not waiting.empty():
            record = waiting.get_nowait()
            if record is None:
                yield batch
                return
            batch.append(record)
        yield batch


@asynccontextmanager
async def sips(
    records: AsyncIterator[Record], window_s: float = WINDOW_S
) -> AsyncIterator[AsyncIterator[list[Record]]]:
    """Listens from now on, also while the caller still reads the history, and gives the records in groups."""
    waiting: asyncio.Queue[Record | None] = asyncio.Queue()
    pouring = asyncio.create_task(_pour(records, waiting))
    # One turn of the loop, so that the subscription stands before the caller looks at the past.
    await asyncio.sleep(0)
    try:
        yield _sips(waiting, window_s)
    finally:
        pouring.cancel()
        await asyncio.gather(pouring, return_exceptions=True)


@asynccontextmanager
async def listening(job_id: int | None, window_s: float = WINDOW_S) -> AsyncIterator[AsyncIterator[list[Record]]]:
    """The live records of one job, or of all jobs, in groups."""
    async with sips(hub().subscribe(job_id), window_s) as groups:
        yield groups
