"""A database that is away: `DatabaseOutage` takes the place of `session_scope` in a module."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

import pytest
from sqlalchemy.exc import InterfaceError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlmodel import Session

from orchestrator.services.db import session_scope

ERRORS = [
    OperationalError("SELECT 1", {}, Exception("the connection was refused")),
    InterfaceError("SELECT 1", {}, Exception("network error")),
    InternalError("UPDATE", {}, Exception("cannot execute UPDATE in a read-only transaction")),
    PoolTimeout("QueuePool limit of size 5 overflow 10 reached"),
]
"""What drivers and SQLAlchemy raise in an outage."""


class DatabaseOutage:
    """Raises for the first `fails` sessions, then opens real ones."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, module: ModuleType, error: Exception, fails: int = 10**6):
        self.error, self.fails, self.asked = error, fails, 0
        monkeypatch.setattr(module, "session_scope", self.scope)

    @contextmanager
    def scope(self) -> Iterator[Session]:
        self.asked += 1
        if self.asked <= self.fails:
            raise self.error
        with session_scope() as session:
            yield session
