"""Runs migrations against the configured database; the same scripts on SQLite and PostgreSQL."""

import importlib
import pkgutil

from alembic import context
from sqlmodel import SQLModel

import orchestrator.domain
from orchestrator.services.db import make_engine
from orchestrator.services.engine_purpose import Purpose
from orchestrator.settings import get_settings

# A table is known once its module is imported: all of them, so that a comparison misses none.
for module in pkgutil.iter_modules(orchestrator.domain.__path__, "orchestrator.domain."):
    importlib.import_module(module.name)

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
