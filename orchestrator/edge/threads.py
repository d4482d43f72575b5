"""The threads in which the events of pages are worked on."""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

EVENT_THREADS = 16
"""Several times what one person may use: asyncio's own number on two processors is six."""


@asynccontextmanager
async def event_threads_lifespan() -> AsyncIterator[None]:
    """Gives the event loop its threads."""
    threads = ThreadPoolExecutor(EVENT_THREADS, thread_name_prefix="events")
    asyncio.get_running_loop().set_default_executor(threads)
    yield
    threads.shutdown(wait=False, cancel_futures=True)
