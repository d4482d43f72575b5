"""Addresses of PostgreSQL, and the limits on waiting for it: refused, frozen and restarted servers."""

import threading
import time
from collections.abc import Iterator

import psycopg
import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError

from orchestrator.services.db import DATABASE_AWAY, make_engine
from orchestrator.services.engine_purpose import Purpose
from orchestrator.services.postgres import with_driver
from tests.postgres import PostgresProcess


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


def ask(engine: Engine, statement: str = "SELECT 1") -> tuple[float, object]:
    """Seconds and the answer, or the error."""
    began = time.monotonic()
    try:
        with engine.connect() as connection:
            return time.monotonic() - began, connection.execute(text(statement)).scalar()
    except Exception as error:
        return time.monotonic() - began, error


@pytest.fixture
def engine(own_postgres: PostgresProcess) -> Iterator[Engine]:
    made = make_engine(own_postgres.url, Purpose.WEB)
    yield made
    made.dispose()


def test_a_restart_costs_a_refusal_and_nothing_else(own_postgres: PostgresProcess, engine: Engine) -> None:
    assert ask(engine)[1] == 1
    own_postgres.stop()
    seconds, error = ask(engine)
    assert isinstance(error, DATABASE_AWAY)
    assert seconds < 20
    own_postgres.start()
    assert ask(engine)[1] == 1


def test_an_orderly_goodbye_costs_no_request(own_postgres: PostgresProcess, engine: Engine) -> None:
    """The server ends idle connections with a message, which the next ping reads before it sees the socket closed."""
    for _ in range(5):
        assert ask(engine)[1] == 1
        with psycopg.connect(own_postgres.server_url.replace("+psycopg", "") + "/postgres", autocommit=True) as admin:
            admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
    assert ask(engine)[1] == 1


def test_a_frozen_server_is_refused_within_two_seconds_and_then_at_once(
    own_postgres: PostgresProcess, engine: Engine
) -> None:
    assert ask(engine)[1] == 1
    under_way: list[tuple[float, object]] = []
    thread = threading.Thread(target=lambda: under_way.append(ask(engine, "SELECT pg_sleep(60)")))
    thread.start()
    assert ask(engine)[1] == 1  # a second connection, which the pool keeps
    time.sleep(0.3)
    own_postgres.freeze()
    try:
        seconds, error = ask(engine)
        assert isinstance(error, OperationalError)
        assert seconds < 4.0
        for _ in range(3):
            seconds, error = ask(engine)
            assert isinstance(error, OperationalError)
            assert seconds < 1.0
        thread.join(15.0)
        assert under_way
        assert isinstance(under_way[0][1], OperationalError)  # what was sent before does not wait forever
    finally:
        own_postgres.thaw()
    deadline = time.monotonic() + 10
    while ask(engine)[1] != 1:
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_the_server_limits_statements_but_those_of_migrations(own_postgres: PostgresProcess) -> None:
    limits = []
    for purpose in Purpose:
        engine = make_engine(own_postgres.url, purpose)
        limits.append((purpose, ask(engine, "SHOW statement_timeout")[1]))
        engine.dispose()
    assert limits == [(Purpose.BACKGROUND, "30s"), (Purpose.WEB, "30s"), (Purpose.MIGRATION, "0")]
