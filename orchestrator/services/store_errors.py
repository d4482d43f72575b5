"""Puts failures of the database and of Redis into words: an outage is no mistake of the user, and passes."""

from redis.exceptions import RedisError
from sqlalchemy.exc import DataError, DBAPIError, InterfaceError, InternalError, OperationalError, StatementError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from orchestrator.domain.errors import AppError, DiskFull, Invalid, Unavailable
from orchestrator.services.db import is_busy

_BUSY = "The database is busy. Try again in a moment."
_AWAY = "The database does not answer right now. Nothing was changed; try again in a moment."
_REDIS = "Redis, which the queue needs, does not answer right now. Try again in a moment."
_FULL = "The disk of this studio is full. Free some space and try again."
_UNFIT = "A value in this request cannot be stored: a number is too large, or a text holds a character that is no text."
_OUR_BUGS = ("no such table", "no such column", "syntax error", "has no column", "does not exist")


def of_store(error: BaseException) -> AppError | None:
    """The refusal for an error of a store; None for any other error, and for our own mistakes in SQL."""
    if isinstance(error, RedisError):
        return Unavailable(_REDIS)
    if isinstance(error, PoolTimeout):
        return Unavailable(_BUSY)
    if isinstance(error, DataError):
        return Invalid(_UNFIT)
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return Unavailable(_AWAY)
    if isinstance(error, OperationalError | InterfaceError | InternalError):
        return Unavailable(_BUSY) if is_busy(error) else _of_text(str(error.orig).lower())
    if isinstance(error, StatementError) and isinstance(error.orig, OverflowError | UnicodeError | ValueError):
        return Invalid(_UNFIT)
    if isinstance(error, UnicodeEncodeError) and "surrogate" in error.reason:  # psycopg's own, which nothing wraps
        return Invalid(_UNFIT)
    return None


def _of_text(said: str) -> AppError | None:
    if "disk is full" in said or "no space left" in said:
        return DiskFull(_FULL)
    if any(part in said for part in _OUR_BUGS):
        return None
    return Unavailable(_AWAY)
