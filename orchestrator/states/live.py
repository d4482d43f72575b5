"""The life of the web process's one live hub, and how a page's events drink from it in small sips."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from orchestrator.services.live import Subscription, get_hub

WINDOW_S = 0.05
"""Records that arrive within this time travel to the browser together."""

Record = dict[str, Any]


@asynccontextmanager
async def hub_lifespan() -> AsyncIterator[None]:
    """Opens the hub with the web process and closes it with it."""
    hub = get_hub()
    await hub.start()
    try:
        yield
    finally:
        await hub.stop()


@asynccontextmanager
async def listening(job_id: int | None) -> AsyncIterator[Subscription]:
    """The live records of one job, or of all, from this moment on: read the history inside and nothing is missed."""
    subscription = await get_hub().listen(job_id)
    try:
        yield subscription
    finally:
        subscription.close()


async def sips(
    subscription: Subscription, window_s: float = WINDOW_S, idle_s: float | None = None
) -> AsyncIterator[list[Record]]:
    """Records in groups: the first one opens a window, and what comes while it is open goes along.

    Args:
        idle_s: after so long without a record an empty group comes.
    """
    while not subscription.closed:
        found = await subscription.take(idle_s)
        if not found:
            if idle_s is not None and not subscription.closed:
                yield []
            continue
        await asyncio.sleep(window_s)
        yield [*found, *await subscription.take(timeout=0)]
