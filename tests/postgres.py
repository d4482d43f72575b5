"""A real PostgreSQL of the test session's own, skipped where its programs are absent."""

import uuid
from collections.abc import Iterator

import pytest
from sqlalchemy import create_engine, text

from benchmarks.postgres import PostgresProcess, postgres_programs


def _make_server() -> PostgresProcess:
    programs = postgres_programs()
    if programs is None:
        pytest.skip("PostgreSQL's programs are absent: install the package `postgresql` to test on it too.")
    server = PostgresProcess(programs)
    server.start()
    return server


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The address of a server; a database of one's own comes from `postgres_url`."""
    server = _make_server()
    yield server.server_url
    server.delete()


@pytest.fixture
def own_postgres() -> Iterator[PostgresProcess]:
    """A server of this test's own, which it may stop."""
    server = _make_server()
    yield server
    server.delete()


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """An empty database."""
    name = f"t{uuid.uuid4().hex}"
    engine = create_engine(f"{postgres_server}/postgres", isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield f"{postgres_server}/{name}"
    with engine.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    engine.dispose()
