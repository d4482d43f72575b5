"""Whether what the web process needs is there (database, schema, Redis, storage), with a limit on each wait."""

import asyncio
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache
from typing import Generic, TypeVar

import structlog
from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from orchestrator.services import workers
from orchestrator.services.db import session_scope
from orchestrator.services.redis import connect
from orchestrator.settings import ROOT, get_settings
from orchestrator.stack.migrate import known_revisions

log = structlog.get_logger(__name__)
T = TypeVar("T")
LIMIT_S = 1.9
"""How long an answer may wait for any of them."""
_FRESH_S = 0.5
"""For how long a result is given again: these questions need no login."""
_threads = ThreadPoolExecutor(4, "readiness")


class Check(Generic[T]):
    """One question, asked in a thread, by one caller at a time; the others wait for the same answer."""

    def __init__(self, ask: Callable[[], T]) -> None:
        self._ask = ask
        self._running: Future[T] | None = None
        self._ended_at = 0.0

    async def answer(self, limit_s: float = LIMIT_S) -> T | str:
        """What `ask` returned, or a sentence when it does not return in time."""
        running = self._running
        if running is None or (running.done() and time.monotonic() - self._ended_at > _FRESH_S):
            self._running = running = _threads.submit(self._ask)
            running.add_done_callback(self._ended)
        try:
            return await asyncio.wait_for(asyncio.shield(asyncio.wrap_future(running)), limit_s)
        except TimeoutError:
            return f"did not answer within {limit_s:.0f} s"

    def _ended(self, _future: Future[T]) -> None:
        self._ended_at = time.monotonic()


_away: set[str] = set()


def _note(name: str, error: BaseException | None) -> None:
    """One line of the log when it goes away and one when it is back, however often a balancer asks."""
    if error is not None and name not in _away:
        _away.add(name)
        log.warning("readiness.away", what=name, error=type(error).__name__)
    elif error is None and name in _away:
        _away.discard(name)
        log.info("readiness.back", what=name)


def count_workers() -> int | str:
    """How many workers are alive, which the database knows; a sentence when it does not answer."""
    try:
        with session_scope() as session:
            alive = workers.count_alive(session)
    except SQLAlchemyError as error:
        _note("database", error)
        return "does not answer"
    _note("database", None)
    return alive


def ping_redis() -> str:
    """ "ok", or what is wrong."""
    try:
        client = connect(retries=0, socket_timeout=LIMIT_S, socket_connect_timeout=LIMIT_S)
        try:
            client.ping()
        finally:
            client.close()
    except (RedisError, OSError) as error:
        _note("redis", error)
        return "does not answer"
    _note("redis", None)
    return "ok"


def compare_schema() -> str:
    """ "ok" when the database has the revision that this code needs."""
    try:
        with session_scope() as session:
            rows = session.connection().execute(text("SELECT version_num FROM alembic_version"))
            present = {str(row[0]) for row in rows}
    except SQLAlchemyError as error:
        _note("schema", error)
        return "cannot be read"
    _note("schema", None)
    needed = _heads()
    return "ok" if present == needed else f"is {_join(present)}; this version needs {_join(needed)}"


def write_file() -> str:
    """ "ok" when the data folder takes a file."""
    try:
        with tempfile.TemporaryFile(dir=get_settings().data_dir) as file:
            file.write(b"-")
            file.flush()
        return "ok"
    except OSError as error:
        return f"cannot be written to: {error.strerror}"


@lru_cache(maxsize=1)
def _heads() -> frozenset[str]:
    return frozenset(known_revisions(ROOT / "alembic" / "versions")[1])


def _join(revisions: set[str] | frozenset[str]) -> str:
    return ", ".join(sorted(revisions)) or "empty"


WORKERS, REDIS = Check(count_workers), Check(ping_redis)
SCHEMA, STORAGE = Check(compare_schema), Check(write_file)


async def stores_and_workers() -> tuple[bool, bool, int]:
    """Whether the database answers, whether Redis does, and how many workers are alive."""
    alive, redis = await asyncio.gather(WORKERS.answer(), REDIS.answer())
    return isinstance(alive, int), redis == "ok", alive if isinstance(alive, int) else 0


async def readiness() -> dict[str, str]:
    """By name, "ok" or what is wrong, within `LIMIT_S`."""
    alive, redis, schema, storage = await asyncio.gather(
        WORKERS.answer(), REDIS.answer(), SCHEMA.answer(), STORAGE.answer()
    )
    return {
        "database": "ok" if isinstance(alive, int) else alive,
        "redis": redis,
        "schema": schema,
        "storage": storage,
    }
