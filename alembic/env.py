"""Runs migrations against the configured database; the same scripts on SQLite and PostgreSQL."""

from alembic import context
from sqlmodel import SQLModel

import orchestrator.domain.tables  # noqa: F401 - all tables, so that a comparison misses none
from orchestrator.services.db import make_engine
from orchestrator.services.engine_purpose import Purpose
from orchestrator.settings import get_settings

url = context.config.get_main_option("sqlalchemy.url") or get_settings().resolved_database_url
options = {"target_metadata": SQLModel.metadata, "render_as_batch": url.startswith("sqlite"), "compare_type": True}

if context.is_offline_mode():
    context.configure(url=url, literal_binds=True, **options)
    with context.begin_transaction():
        context.run_migrations()
else:
    with make_engine(url, Purpose.MIGRATION).connect() as connection:
        if url.startswith("sqlite"):
            # Batch mode drops a table to rebuild it: with foreign keys on, its children's rows would go with it.
            connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
            connection.commit()
        context.configure(connection=connection, **options)
        with context.begin_transaction():
            context.run_migrations()
