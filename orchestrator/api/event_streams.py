"""Long answers: how many one person may hold open, and that they end with the session or token they began with."""

import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import structlog
from fastapi import Request
from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool

from orchestrator.api.authentication import current_user
from orchestrator.domain.errors import NotAllowed, NotSignedIn, TooMany
from orchestrator.domain.users import Actor

log = structlog.get_logger(__name__)
MOST_PER_PERSON = 20
ASK_AGAIN_S = 10.0
"""How long a stream may go on after its token was deleted or its session was closed."""
_open: Counter[int] = Counter()


def check_open_streams(user_id: int) -> None:
    """Before the answer begins.

    Raises:
        TooMany: the person holds as many streams as one may.
    """
    if _open[user_id] >= MOST_PER_PERSON:
        raise TooMany(f"You follow {MOST_PER_PERSON} jobs at once already. Close one of the streams first.", 10)


@asynccontextmanager
async def open_stream(user_id: int) -> AsyncIterator[None]:
    """Counts a stream while it is sent. Enter it inside the generator: one that never starts counts for nothing."""
    _open[user_id] += 1
    try:
        yield
    finally:
        _open[user_id] -= 1
        if not _open[user_id]:
            del _open[user_id]


class Validity:
    """Whether the request of a stream would still be let in."""

    def __init__(self, request: Request, find_user: Callable[[Request], Actor] = current_user) -> None:
        """`find_user`: the dependency by which the route let the request in."""
        self._request, self._find_user, self._asked_at = request, find_user, time.monotonic()

    async def holds(self) -> bool:
        """Asks the database every few seconds; an outage of it ends nothing."""
        if time.monotonic() - self._asked_at < ASK_AGAIN_S:
            return True
        self._asked_at = time.monotonic()
        try:
            await run_in_threadpool(self._find_user, self._request)
        except (NotSignedIn, NotAllowed):
            return False
        except SQLAlchemyError as error:
            log.warning("stream.store_unavailable", error=type(error).__name__)
        return True
