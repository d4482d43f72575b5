"""A ledger of its own for a benchmark of services: fresh data folder, its own Redis, one person, many rows."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from orchestrator.domain.users import Actor, Role, User
from orchestrator.services import db
from orchestrator.settings import get_settings
from orchestrator.stack.redis_server import find_binary, server_command, wait_until_answers


@contextmanager
def ledger(database_url: str = "") -> Iterator[Actor]:
    """Migrated tables and a Redis in a folder that goes away; the person who owns what the benchmark makes.

    Args:
        database_url: an empty database; "" for SQLite in the folder.
    """
    folder = Path(tempfile.mkdtemp(prefix="lrl-", dir="/tmp"))
    settings = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("LOREEL_")}
    os.environ["LOREEL_DATA_DIR"] = str(folder)
    if database_url:
        os.environ["LOREEL_DATABASE_URL"] = database_url
    for cached in (get_settings, db.engine):
        cached.cache_clear()
    server = subprocess.Popen(server_command(find_binary(), get_settings()), stdout=subprocess.DEVNULL)
    try:
        wait_until_answers(get_settings().redis_socket, lambda: server.poll() is None)
        db.run_migrations()
        with db.session_scope() as session:
            user = User(username="b", username_key="b", email="b@example.org", email_key="b", password_hash="-")
            session.add(user)
            session.flush()
            actor = Actor(user.id or 0, "b", "b@example.org", Role.ADMIN)
        yield actor
    finally:
        db.engine().dispose()
        server.kill()
        server.wait(10)
        for name in ("LOREEL_DATA_DIR", "LOREEL_DATABASE_URL"):
            os.environ.pop(name, None)
        os.environ.update(settings)
        for cached in (get_settings, db.engine):
            cached.cache_clear()
        shutil.rmtree(folder, ignore_errors=True)


def milliseconds(action: Callable[[], object], times: int = 1) -> list[float]:
    """The milliseconds of each call."""
    milliseconds = []
    for _ in range(times):
        began = time.perf_counter()
        action()
        milliseconds.append((time.perf_counter() - began) * 1000)
    return milliseconds


def p95(values: list[float]) -> float:
    """The value that one in twenty exceeds."""
    return sorted(values)[min(len(values) - 1, int(len(values) * 0.95))]
