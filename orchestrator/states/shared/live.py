"""The life of the web process's one live hub, and how a page's events drink from it in small sips."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from orchestrator.domain.live_records import HubRecord
from orchestrator.services.live_hub import Subscription, get_hub

WINDOW_S = 0.05
"""Records that arrive within this time travel to the browser together."""
EAGER_S = 0.02
"""The same for the first record after a pause: what one step says comes within milliseconds."""
MANY = 150
MANY_S = 0.25
"""How often a tab of a job page is told while more than so many listen: quick runs then travel in larger groups."""

UNSEEN_S = 5.0
"""How often a hidden tab is told what happened: its title still moves."""
GLANCE_S = 0.2
"""How soon a tab that is looked at again catches up."""


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
async def listening(
    job_id: int | None, wants: Callable[[HubRecord], bool] | None = None
) -> AsyncIterator[Subscription]:
    """The live records of one job, or of all, from this moment on: read the history inside and nothing is missed."""
    subscription = await get_hub().subscribe(job_id, accepts=wants)
    try:
        yield subscription
    finally:
        subscription.close()


def eager_wait(since_last: float, listeners: int) -> float:
    """Seconds for which a window stays open: short after a pause, else what is left of the pace."""
    return max(EAGER_S, (MANY_S if listeners > MANY else WINDOW_S) - since_last)


async def sips(
    subscription: Subscription,
    window_s: float = WINDOW_S,
    idle_s: float | None = None,
    seen: Callable[[], bool] = lambda: True,
    eager: bool = False,
) -> AsyncIterator[list[HubRecord]]:
    """Records in groups: the first one opens a window, and what comes while it is open goes along.

    Args:
        idle_s: after so long without a record an empty group comes.
        seen: while it says no, groups come every `UNSEEN_S` only: nobody looks, and nothing is lost.
        eager: after a pause the window is shorter, and while many listen the groups are further apart.
    """
    last = 0.0
    while not subscription.closed:
        found = await subscription.take(idle_s)
        if not found:
            if idle_s is not None and not subscription.closed:
                yield []
            continue
        await asyncio.sleep(eager_wait(time.monotonic() - last, get_hub().listeners) if eager else window_s)
        until = time.monotonic() + UNSEEN_S
        while not seen() and time.monotonic() < until and not subscription.closed:
            await asyncio.sleep(GLANCE_S)
        last = time.monotonic()
        yield [*found, *await subscription.take(timeout=0)]
