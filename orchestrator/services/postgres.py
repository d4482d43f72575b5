"""Connections to PostgreSQL with a limit on every wait, so that a server that has ended or hangs delays no caller long.

libpq limits only how long connecting may take. A server that stopped without closing its sockets would hold a statement
until TCP gives up, which takes a quarter of an hour, and a frozen one forever.
"""

import contextlib
import os
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from weakref import WeakSet

import psycopg
from sqlalchemy import URL, Engine, ExceptionContext, create_engine, event, make_url

from orchestrator.services.engine_purpose import Purpose

_DRIVER = "postgresql+psycopg"
_ALIASES = ("postgres", "postgresql", "postgresql+pg8000", "postgresql+psycopg2")
_KEEP_ALIVE = {"keepalives": 1, "keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3}
_UNACKNOWLEDGED_MS = 15_000
"""How long sent data may go unacknowledged before the kernel ends the connection."""
_PROBE_S = 1.0
_FAREWELLS = (
    psycopg.errors.AdminShutdown,
    psycopg.errors.CrashShutdown,
    psycopg.errors.CannotConnectNow,
    psycopg.errors.IdleSessionTimeout,
)


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a process waits for PostgreSQL, in seconds, and how many connections it keeps.

    Attributes:
        connect_s: for a new connection; libpq allows no less than 2.
        ping_s: for the proof that an idle connection lives, before it is used.
        statement_s: for a statement, enforced by the server; 0: no limit.
        answer_s: for an answer to a statement, enforced here; 0: no limit.
        fails_fast: once a ping timed out, new requests fail at once until the server answers a probe.
    """

    connect_s: int = 5
    ping_s: float = 5.0
    statement_s: int = 30
    answer_s: float = 35.0
    pool_size: int = 2
    max_overflow: int = 8
    pool_timeout_s: float = 10.0
    fails_fast: bool = False


LIMITS = {
    # Controller and workers: they can wait, and use one or two connections.
    Purpose.BACKGROUND: Limits(),
    # The web process: people wait for its answer.
    Purpose.WEB: Limits(connect_s=2, ping_s=1.5, pool_size=5, max_overflow=10, fails_fast=True),
    Purpose.MIGRATION: Limits(statement_s=0, answer_s=0),
}


def with_driver(url: str) -> str:
    """The same address with the driver that is installed; addresses of other databases stay as they are."""
    if not url.startswith(("postgres:", "postgresql")):
        return url
    parsed = make_url(url)
    if parsed.drivername not in _ALIASES:
        return url
    parsed = parsed.set(drivername=_DRIVER)
    if path := parsed.query.get("unix_sock"):  # the name that pg8000 gives the file, of which libpq takes the folder
        folder = os.path.dirname(path if isinstance(path, str) else path[0])
        parsed = parsed.difference_update_query(["unix_sock"]).update_query_dict({"host": folder})
    return parsed.render_as_string(hide_password=False)


class TimedConnection(psycopg.Connection[Any]):
    """A connection that closes itself when the server does not answer in time."""

    patience_s: float = 0.0
    """The limit of each wait; 0: none."""
    waiting_since: float = 0.0
    """When the wait that goes on began, by the monotonic clock; 0 between two."""
    on_timeout: Callable[[], None] | None = None

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        """As psycopg's; raises OperationalError when the limit is over."""
        self.waiting_since = time.monotonic()
        try:
            return super().wait(gen, interval, timeout or self.patience_s or None)
        except psycopg.errors.OperationalError as error:
            if type(error).__name__ != "_WaitTimeout" or timeout is not None:
                raise
            self.pgconn.finish()  # what the server may still send belongs to no later statement
            if self.on_timeout:
                self.on_timeout()
            raise psycopg.OperationalError(f"The server did not answer within {self.patience_s:g} s.") from None
        finally:
            self.waiting_since = 0.0

    def interrupt(self) -> None:
        """Ends a wait of another thread: its socket reads as closed."""
        with contextlib.suppress(OSError, psycopg.Error):
            copy = socket.socket(fileno=os.dup(self.pgconn.socket))
            with contextlib.closing(copy):
                copy.shutdown(socket.SHUT_RDWR)


class Breaker:
    """Remembers that a server does not answer: while it is open, new connections fail at once.

    A thread asks the server until it answers. With each try that fails it also ends the waits of statements that were
    sent before the outage.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._connections: WeakSet[TimedConnection] = WeakSet()
        self._lock = threading.Lock()
        self.is_open = False

    def watch(self, connection: TimedConnection) -> None:
        """Ends this connection's waits in an outage."""
        self._connections.add(connection)

    def check(self) -> None:
        """Raises psycopg.OperationalError while the server does not answer."""
        if self.is_open:
            raise psycopg.OperationalError("The server did not answer a moment ago.")

    def trip(self, parameters: dict[str, Any]) -> None:
        """The server did not answer in time. `parameters`: of a new connection to it."""
        with self._lock:
            if self.is_open or not self._limits.fails_fast:
                return
            self.is_open = True
        threading.Thread(target=self._probe, args=(parameters,), daemon=True, name="postgres-probe").start()

    def _probe(self, parameters: dict[str, Any]) -> None:
        while True:
            try:
                psycopg.connect(**parameters).close()
            except psycopg.Error:
                self._interrupt_waits()
                time.sleep(_PROBE_S)
            else:
                self.is_open = False
                return

    def _interrupt_waits(self) -> None:
        oldest = time.monotonic() - self._limits.ping_s
        for connection in list(self._connections):
            if 0.0 < connection.waiting_since < oldest:
                connection.interrupt()


def make_postgres_engine(url: str, purpose: Purpose) -> Engine:
    """An engine with a small pool whose connections wait no longer than `LIMITS` says."""
    limits = LIMITS[purpose]
    address = make_url(with_driver(url))
    engine = create_engine(
        address,
        connect_args=_connect_arguments(address, limits),
        pool_pre_ping=True,
        pool_size=limits.pool_size,
        max_overflow=limits.max_overflow,
        pool_timeout=limits.pool_timeout_s,
        hide_parameters=True,
    )
    _limit_waits(engine, limits)
    return engine


def _connect_arguments(address: URL, limits: Limits) -> dict[str, Any]:
    """libpq's parameters; what the address itself says has precedence."""
    arguments: dict[str, Any] = {
        "connect_timeout": limits.connect_s,
        "tcp_user_timeout": _UNACKNOWLEDGED_MS,
        "application_name": "loreel",
        **_KEEP_ALIVE,
    }
    if limits.statement_s:
        arguments["options"] = f"-c statement_timeout={limits.statement_s}s"
    return {name: value for name, value in arguments.items() if name not in address.query}


def _recognise_disconnect(context: ExceptionContext) -> None:
    """A server that shuts down says so before it closes the connection, which until then looks usable."""
    farewell = isinstance(context.original_exception, _FAREWELLS)
    context.is_disconnect = context.is_disconnect or context.is_pre_ping or farewell


def _limit_waits(engine: Engine, limits: Limits) -> None:
    """Between two uses a connection only answers pings; in use it answers statements."""
    breaker = Breaker(limits)

    def connect(_dialect: object, _record: object, arguments: list[Any], parameters: dict[str, Any]) -> TimedConnection:
        breaker.check()
        try:
            connection = TimedConnection.connect(*arguments, **parameters)
        except psycopg.errors.ConnectionTimeout:
            breaker.trip(parameters)
            raise
        connection.patience_s, connection.on_timeout = limits.answer_s, lambda: breaker.trip(parameters)
        breaker.watch(connection)
        return connection

    def checked_out(connection: TimedConnection, _record: object, _proxy: object) -> None:
        connection.patience_s = limits.answer_s

    def checked_in(connection: TimedConnection | None, _record: object) -> None:
        if connection is not None:  # None: it was closed, because it is of no use any more
            connection.patience_s = limits.ping_s

    event.listen(engine, "do_connect", connect)
    event.listen(engine, "handle_error", _recognise_disconnect)
    event.listen(engine, "checkout", checked_out)
    event.listen(engine, "checkin", checked_in)
