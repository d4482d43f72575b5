"""The database: one engine per process, and transactions that commit at the end of a `with` block."""

import contextlib
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import Engine, event
from sqlmodel import Session, create_engine

from orchestrator.settings import ROOT, get_settings

if TYPE_CHECKING:
    from alembic.config import Config

T = TypeVar("T")


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


def make_engine(url: str) -> Engine:
    """An engine for SQLite (WAL, foreign keys on) or PostgreSQL."""
    if not url.startswith("sqlite"):
        return create_engine(
            url, pool_pre_ping=True, pool_size=5, max_overflow=25, pool_timeout=_POOL_S, hide_parameters=True
        )
    path = Path(url.removeprefix("sqlite:///"))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    with contextlib.suppress(PermissionError):  # somebody else's file, which we may still be allowed to use
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


@lru_cache(maxsize=1)
def engine() -> Engine:
    """The process's engine."""
    return make_engine(get_settings().resolved_database_url)


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


LOCK_S = 0.02
"""How long a long act holds the write lock of SQLite before it lets others write."""


def in_small_transactions(items: Iterable[T], act: Callable[[Session, T], object]) -> None:
    """Calls `act(session, item)` for each item and commits every few milliseconds, so that others can write meanwhile.

    For acts over many rows that need no common transaction: what was done stays done when one of them fails.
    """
    waiting = deque(items)
    while waiting:
        with session_scope() as session:
            act(session, waiting.popleft())
            until = time.monotonic() + LOCK_S
            while waiting and time.monotonic() < until:
                act(session, waiting.popleft())
        time.sleep(LOCK_S / 4)  # whoever waits for the lock asks again in this pause


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
    database = make_engine(url or get_settings().resolved_database_url)
    try:
        with database.connect() as connection:
            present = set(MigrationContext.configure(connection).get_current_heads())
    finally:
        database.dispose()
    if present - known:
        raise NewerDatabase(", ".join(sorted(present - known)))
    command.upgrade(config, "head")
