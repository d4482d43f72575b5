"""Opens the web process's live hub, and hands a page's events the hub's records in small batches."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from orchestrator.domain.live_records import HubRecord
from orchestrator.services.live_hub import Subscription, get_hub

WINDOW_S = 0.05
"""Records that arrive within this time travel to the browser together."""
EAGER_S = 0.02
"""The same for the first record after a pause: the records of one step arrive within milliseconds."""
MANY_LISTENERS = 150
MANY_LISTENERS_WINDOW_S = 0.25
"""The window while more tabs than that listen: fast runs then travel in larger batches."""

HIDDEN_S = 5.0
"""How often a hidden tab gets its records: its title still moves."""
VISIBILITY_POLL_S = 0.2
"""How soon a tab that becomes visible again catches up."""


@asynccontextmanager
async def hub_lifespan() -> AsyncIterator[None]:
    """Opens the hub when the web process starts and closes it when it ends."""
    hub = get_hub()
    await hub.start()
    try:
        yield
    finally:
        await hub.stop()


@asynccontextmanager
async def listening(
    job_id: int | None, wants: Callable[[HubRecord], bool] | None = None
) -> AsyncIterator[Subscription]:
    """Subscribes to the live records of one job, or of all, from now on.

    Read the history inside the context, and no record is missed.
    """
    subscription = await get_hub().subscribe(job_id, accepts=wants)
    try:
        yield subscription
    finally:
        subscription.close()


def eager_wait(since_last: float, listeners: int) -> float:
    """Seconds for which a window stays open: short after a pause, else what is left of the pace."""
    return max(EAGER_S, (MANY_LISTENERS_WINDOW_S if listeners > MANY_LISTENERS else WINDOW_S) - since_last)


async def batches(
    subscription: Subscription,
    window_s: float = WINDOW_S,
    idle_s: float | None = None,
    visible: Callable[[], bool] = lambda: True,
    eager: bool = False,
) -> AsyncIterator[list[HubRecord]]:
    """Yields records in batches: the first record opens a window, and those that arrive while it is open join it.

    Args:
        idle_s: yields an empty batch after that many seconds without a record.
        visible: while it returns False, batches come every `HIDDEN_S` only; no record is lost.
        eager: the window is shorter after a pause, and longer while many tabs listen.
    """
    last = 0.0
    while not subscription.closed:
        records = await subscription.take(idle_s)
        if not records:
            if idle_s is not None and not subscription.closed:
                yield []
            continue
        await asyncio.sleep(eager_wait(time.monotonic() - last, get_hub().listeners) if eager else window_s)
        until = time.monotonic() + HIDDEN_S
        while not visible() and time.monotonic() < until and not subscription.closed:
            await asyncio.sleep(VISIBILITY_POLL_S)
        last = time.monotonic()
        yield [*records, *await subscription.take(timeout=0)]
