"""The migrations build the very schema that the domain declares, and can be undone."""

from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import inspect

from orchestrator.services.db import alembic_config, make_engine, run_migrations


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgres":
        return request.getfixturevalue("postgres_url")
    return f"sqlite:///{tmp_path / 'ledger.db'}"


def test_schema_is_what_the_domain_declares(url: str) -> None:
    run_migrations(url)
    command.check(alembic_config(url))


def test_down_and_up_again(url: str) -> None:
    run_migrations(url)
    command.downgrade(alembic_config(url), "base")
    assert inspect(make_engine(url)).get_table_names() == ["alembic_version"]
    run_migrations(url)


def test_sqlite_keeps_foreign_keys_and_wal(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    run_migrations(url)
    with make_engine(url).connect() as connection:
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
