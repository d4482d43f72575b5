"""The database: one engine per process, and transactions that commit at the end of a `with` block."""

import contextlib
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import structlog
from sqlalchemy import Engine, event
from sqlalchemy.exc import DBAPIError, InterfaceError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlmodel import Session, create_engine

import orchestrator.domain.tables  # noqa: F401 - a process that opens the database knows every table that a key may name
from orchestrator.services.engine_purpose import Purpose
from orchestrator.settings import ROOT, get_settings

if TYPE_CHECKING:
    from alembic.config import Config

log = structlog.get_logger(__name__)
T = TypeVar("T")
R = TypeVar("R")

DATABASE_AWAY = (OperationalError, InterfaceError, InternalError, PoolTimeout)
"""What SQLAlchemy raises while the database is busy, restarts, fails over (a server that is read-only so far raises an
InternalError), or cannot be reached. Background work waits for the end of it; requests answer with `store_errors`."""


_BUSY_TEXTS = ("locked", "statement timeout", "deadlock")


def is_busy(error: BaseException) -> bool:
    """Whether others held the database for too long: it is there, and the act may be repeated."""
    if isinstance(error, PoolTimeout):
        return True
    if not isinstance(error, DBAPIError) or error.connection_invalidated:
        return False
    return any(part in str(error.orig).lower() for part in _BUSY_TEXTS)


def why_away(error: BaseException) -> str:
    """The first line of an error of `DATABASE_AWAY`, for the log."""
    text = str(getattr(error, "orig", None) or error).strip()
    return text.splitlines()[0] if text else type(error).__name__


def _set_pragmas(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    # WAL lets pages read while a trainer's metrics are written; NORMAL is safe with it.
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "busy_timeout=5000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
    # SQLite's own `lower` knows A to Z only: a search for "äpfel" would not find "Äpfel".
    connection.create_function("lower", 1, _lower, deterministic=True)


def _lower(text: object) -> object:
    return text.lower() if isinstance(text, str) else text


_POOL_S = 10.0
"""How long a visit waits for a connection. A web process has 40 threads for requests and some more for pages."""


def make_engine(url: str, purpose: Purpose = Purpose.BACKGROUND) -> Engine:
    """An engine for SQLite (WAL, foreign keys on) or PostgreSQL; `purpose` says how long PostgreSQL is waited for."""
    if not url.startswith("sqlite"):
        # Imported here: with SQLite no process needs psycopg.
        from orchestrator.services.postgres import make_postgres_engine

        return make_postgres_engine(url, purpose)
    path = Path(url.removeprefix("sqlite:///"))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    with contextlib.suppress(PermissionError):  # another user's file, which we may still be allowed to use
        path.chmod(0o600)  # SQLite gives its side files the same mode
    engine = create_engine(
        url,
        connect_args={"timeout": 5, "check_same_thread": False},
        pool_size=10,
        max_overflow=50,
        pool_timeout=_POOL_S,
        hide_parameters=True,
    )
    event.listen(engine, "connect", _set_pragmas)
    return engine


_purpose = Purpose.BACKGROUND


def set_purpose(purpose: Purpose) -> None:
    """Says what this process uses the database for, before its first session."""
    global _purpose
    _purpose = purpose
    engine.cache_clear()


@lru_cache(maxsize=1)
def engine() -> Engine:
    """The process's engine."""
    return make_engine(get_settings().resolved_database_url, _purpose)


def close_before_fork() -> None:
    """Closes SQLite's connections before this process forks: a child that has a copy of one may damage the file.

    Connections to PostgreSQL stay: the child leaves them alone (`forget_inherited_connections`).
    """
    if engine().dialect.name == "sqlite":
        engine().dispose()


def forget_inherited_connections() -> None:
    """In a forked child: its parent goes on using them, so they are dropped without a word to the server."""
    engine().dispose(close=False)


@contextmanager
def session_scope() -> Iterator[Session]:
    """One transaction: commits at the end, rolls back when anything is raised."""
    with Session(engine(), expire_on_commit=False) as session:
        try:
            yield session
            session.commit()
        except BaseException:
            session.rollback()
            raise


_RETRY_S = 1.0
_LOG_EVERY_S = 60.0


def when_available(
    action: Callable[[], T],
    give_up: Callable[[float], bool] = lambda _waited_s: False,
    repeats: Callable[[BaseException], bool] = lambda _error: True,
) -> T:
    """Runs `action`, which opens a transaction of its own, again once a second while the database is busy or away.

    Args:
        give_up: asked after each failure, with the seconds waited so far; True: the error is raised.
        repeats: whether an error of `DATABASE_AWAY` is waited for; others are raised.
    """
    began, next_log = time.monotonic(), 0.0
    while True:
        try:
            return action()
        except DATABASE_AWAY as error:
            waited = time.monotonic() - began
            if not repeats(error) or give_up(waited):
                raise
            if waited >= next_log:
                log.warning("database.away", error=why_away(error), waited_s=round(waited))
                next_log = waited + _LOG_EVERY_S
            time.sleep(_RETRY_S)


LOCK_S = 0.02
"""How long a long act holds the write lock of SQLite before it lets others write."""
BUSY_LIMIT_S = 30.0
"""How long one of its transactions is repeated while others hold the lock."""


def in_small_transactions(items: Iterable[T], act: Callable[[Session, T], R]) -> list[R]:
    """Calls `act(session, item)` for each item and commits every few milliseconds, so that others can write meanwhile.

    For acts over many rows that need no common transaction: what was done stays done when one of them fails. A
    transaction that finds the database busy is rolled back and repeated, so `act` must change nothing but the database.

    Returns:
        What `act` returned for each item, of the transaction that was committed.
    """
    waiting, results = deque(items), list[R]()
    while waiting:
        done = when_available(
            partial(_act_for_a_while, waiting, act), lambda waited_s: waited_s > BUSY_LIMIT_S, is_busy
        )
        for _ in done:
            waiting.popleft()
        results += done
        time.sleep(LOCK_S / 4)  # others that wait for the lock ask again in this pause
    return results


def _act_for_a_while(items: Iterable[T], act: Callable[[Session, T], R]) -> list[R]:
    """Acts on the first items in one transaction."""
    results = list[R]()
    with session_scope() as session:
        until = time.monotonic() + LOCK_S
        for item in items:
            results.append(act(session, item))
            if time.monotonic() >= until:
                break
    return results


def alembic_config(url: str | None = None) -> "Config":
    # Imported here: only migrations need Alembic, which takes a fifth of a second and some megabytes.
    from alembic.config import Config

    config = Config(str(ROOT / "alembic.ini"))
    config.set_main_option("script_location", str(ROOT / "alembic"))
    config.set_main_option("sqlalchemy.url", (url or get_settings().resolved_database_url).replace("%", "%%"))
    return config


class NewerDatabase(Exception):
    """The database has a revision that this version does not know; nothing was changed."""


def run_migrations(url: str | None = None) -> None:
    """Brings the database to the newest revision.

    Raises:
        NewerDatabase: a newer version has written it.
    """
    from alembic import command
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

    config = alembic_config(url)
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    database = make_engine(url or get_settings().resolved_database_url, Purpose.MIGRATION)
    try:
        with database.connect() as connection:
            present = set(MigrationContext.configure(connection).get_current_heads())
    finally:
        database.dispose()
    if present - known:
        raise NewerDatabase(", ".join(sorted(present - known)))
    command.upgrade(config, "head")
