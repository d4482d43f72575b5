"""Addresses of PostgreSQL, and the limits on waiting for it: refused, frozen and restarted servers."""

import dataclasses
import threading
import time
from collections.abc import Iterator

import psycopg
import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError

from orchestrator.services import postgres
from orchestrator.services.db import DATABASE_AWAY, make_engine
from orchestrator.services.engine_purpose import Purpose
from orchestrator.services.postgres import with_driver
from tests.postgres import PostgresProcess
from tests.studio import until


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("postgres://a:b%40c@h/d", "postgresql+psycopg://a:b%40c@h/d"),
        ("postgresql://a@h:5/d?sslmode=require", "postgresql+psycopg://a@h:5/d?sslmode=require"),
        ("postgresql+pg8000://a@h/d", "postgresql+psycopg://a@h/d"),
        ("postgresql+pg8000://a@/d?unix_sock=/run/pg/.s.PGSQL.5432", "postgresql+psycopg://a@/d?host=%2Frun%2Fpg"),
        ("postgresql+asyncpg://a@h/d", "postgresql+asyncpg://a@h/d"),
        ("sqlite:////tmp/a.db", "sqlite:////tmp/a.db"),
    ],
)
def test_an_address_gets_the_installed_driver(given: str, used: str) -> None:
    assert with_driver(given) == used


FAILED_FAST = "did not answer a moment ago"
"""The error of a visit that did not wait for the server itself."""


def ask(engine: Engine, statement: str = "SELECT 1") -> object:
    """The answer, or the error."""
    try:
        with engine.connect() as connection:
            return connection.execute(text(statement)).scalar()
    except Exception as error:
        return error


@pytest.fixture
def engine(own_postgres: PostgresProcess) -> Iterator[Engine]:
    """As in the web process, but an answer is waited for without a limit: only pings and the breaker end a wait."""
    with pytest.MonkeyPatch.context() as patch:
        limits = dataclasses.replace(postgres.LIMITS[Purpose.WEB], statement_s=0, answer_s=0)
        patch.setitem(postgres.LIMITS, Purpose.WEB, limits)
        made = make_engine(own_postgres.url, Purpose.WEB)
    yield made
    made.dispose()


def test_a_restart_costs_a_refusal_and_nothing_else(own_postgres: PostgresProcess, engine: Engine) -> None:
    assert ask(engine) == 1
    own_postgres.stop()
    assert isinstance(ask(engine), DATABASE_AWAY)
    own_postgres.start()
    assert ask(engine) == 1


def test_an_orderly_goodbye_costs_no_request(own_postgres: PostgresProcess, engine: Engine) -> None:
    """The server ends idle connections with a message, which the next ping reads before it sees the socket closed."""
    for _ in range(5):
        assert ask(engine) == 1
        with psycopg.connect(own_postgres.server_url.replace("+psycopg", "") + "/postgres", autocommit=True) as admin:
            admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
    assert ask(engine) == 1


def test_a_frozen_server_is_refused_after_one_ping_and_then_at_once(
    own_postgres: PostgresProcess, engine: Engine
) -> None:
    assert postgres.LIMITS[Purpose.WEB].ping_s < 2
    assert ask(engine) == 1
    under_way: list[object] = []
    thread = threading.Thread(target=lambda: under_way.append(ask(engine, "SELECT pg_sleep(60)")))
    thread.start()
    assert ask(engine) == 1  # a second connection, which the pool keeps
    time.sleep(0.3)
    own_postgres.freeze()
    try:
        for _ in range(4):
            error = ask(engine)
            assert isinstance(error, OperationalError)
            assert FAILED_FAST in str(error)
        thread.join(120.0)
        assert under_way
        assert isinstance(under_way[0], OperationalError)  # what was sent before does not wait forever
    finally:
        own_postgres.thaw()
    until(lambda: ask(engine) == 1, 60, pause_s=0.2)


def test_the_server_limits_statements_but_those_of_migrations(own_postgres: PostgresProcess) -> None:
    limits = []
    for purpose in Purpose:
        engine = make_engine(own_postgres.url, purpose)
        limits.append((purpose, ask(engine, "SHOW statement_timeout")))
        engine.dispose()
    assert limits == [(Purpose.BACKGROUND, "30s"), (Purpose.WEB, "30s"), (Purpose.MIGRATION, "0")]
