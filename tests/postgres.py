"""A real PostgreSQL of the test session's own, from the programs that Debian's package brings; skipped without them."""

import os
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from benchmarks.studio import free_port

_DEBIAN = Path("/usr/lib/postgresql")
_QUICK = "-c fsync=off -c full_page_writes=off -c shared_buffers=32MB -c listen_addresses=127.0.0.1"


def _programs() -> Path | None:
    """The folder of `initdb` and `pg_ctl`, the newest version's."""
    if found := shutil.which("initdb"):
        return Path(found).parent
    return max((path.parent for path in _DEBIAN.glob("*/bin/initdb")), default=None)


def _as_unprivileged_user(*command: str) -> list[str]:
    """PostgreSQL refuses to run as root: then its own user runs it."""
    return ["runuser", "-u", "postgres", "--", *command] if os.geteuid() == 0 else list(command)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The address of a server; a database of one's own comes from `postgres_url`."""
    programs = _programs()
    if programs is None:
        pytest.skip("PostgreSQL's programs are absent: install the package `postgresql` to test on it too.")
    folder = Path(tempfile.mkdtemp(prefix="lrl-pg-", dir="/tmp"))
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
    data, port = folder / "data", free_port()
    run = {"check": True, "stdout": subprocess.DEVNULL, "cwd": folder}
    initdb = [
        str(programs / "initdb"),
        "-D",
        str(data),
        "-U",
        "loreel",
        "--auth=trust",
        "-E",
        "UTF8",
        "--locale=C",
        "--no-sync",
    ]
    subprocess.run(_as_unprivileged_user(*initdb), **run)
    options = f"{_QUICK} -p {port} -k {folder}"
    control = [str(programs / "pg_ctl"), "-D", str(data), "-w", "-l", str(folder / "log"), "-o", options]
    subprocess.run(_as_unprivileged_user(*control, "start"), **run)
    yield f"postgresql+pg8000://loreel@127.0.0.1:{port}"
    subprocess.run(_as_unprivileged_user(str(programs / "pg_ctl"), "-D", str(data), "-m", "immediate", "stop"), **run)
    shutil.rmtree(folder, ignore_errors=True)


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
