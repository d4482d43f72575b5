"""Notes when a session or a token was last used: at most once a minute, behind the request, never failing it."""

import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor

import structlog
from sqlalchemy import text, update
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import col

from orchestrator.domain.base import utcnow
from orchestrator.domain.users import ApiToken, UserSession
from orchestrator.services.db import session_scope

log = structlog.get_logger(__name__)
EVERY_S = 60.0
_MOST_NOTED = 5_000
_LOCK_MS = 100
_COLUMNS = {UserSession: "last_seen_at", ApiToken: "last_used_at"}
_writer = ThreadPoolExecutor(1, thread_name_prefix="last-use")
_noted: dict[tuple[str, int], float] = {}
_lock = threading.Lock()


def note_use(kind: type[UserSession] | type[ApiToken], row_id: int) -> "Future[None] | None":
    """Writes the present time to the row soon; None when it was noted within the last minute."""
    key, now = (kind.__name__, row_id), time.monotonic()
    with _lock:
        if now - _noted.get(key, -EVERY_S) < EVERY_S:
            return None
        if len(_noted) >= _MOST_NOTED:
            _noted.clear()
        _noted[key] = now
    return _writer.submit(_write, kind, row_id)


def forget_notes() -> None:
    """Forgets what was noted (for tests, which use other databases)."""
    with _lock:
        _noted.clear()


def _write(kind: type[UserSession] | type[ApiToken], row_id: int) -> None:
    """In a transaction of its own that gives up at once where another process writes: the next minute will do."""
    statement = update(kind).where(col(kind.id) == row_id).values({_COLUMNS[kind]: utcnow()})
    try:
        with session_scope() as session:
            sqlite = session.get_bind().dialect.name == "sqlite"
            patience = f"PRAGMA busy_timeout={_LOCK_MS}" if sqlite else f"SET LOCAL lock_timeout = '{_LOCK_MS}ms'"
            session.connection().execute(text(patience))
            try:
                session.connection().execute(statement)
                session.commit()
            finally:
                if sqlite:  # the setting belongs to the connection, which others use after us
                    session.connection().execute(text("PRAGMA busy_timeout=5000"))
    except SQLAlchemyError as error:
        log.debug("last_use.not_noted", error=type(error).__name__)
