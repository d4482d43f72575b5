"""Clean-up that ends even where its caller is cancelled: a client hung up, a tab was closed."""

import asyncio
from collections.abc import Coroutine
from typing import Any

_running: set[asyncio.Task[Any]] = set()
"""The event loop itself holds tasks weakly."""


async def run_shielded(cleanup: Coroutine[Any, Any, None]) -> None:
    """Runs `cleanup` in a task of its own, out of reach of whatever cancels the caller, and waits for it.

    In a cancelled request each `await` is cancelled again (an anyio cancel scope), so that a `finally` block that
    awaits would stop at its first step.
    """
    task = asyncio.create_task(cleanup)
    _running.add(task)
    task.add_done_callback(_running.discard)
    await asyncio.shield(task)
