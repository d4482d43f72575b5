"""Starts Redis, controller and worker for a `reflex run` without `./loreel`."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psutil

from orchestrator.domain.processes import SUPERVISED
from orchestrator.private_files import keep_files_private
from orchestrator.release import note_release
from orchestrator.settings import ROOT, Settings, get_settings
from orchestrator.stack import checks, embedded_redis, migrate, processes, redis_server
from orchestrator.stack.children import Log
from orchestrator.stack.errors import StackError
from orchestrator.stack.supervisor import Supervisor

START_LIMIT_S = 60.0


def needed(settings: Settings) -> bool:
    """False under `./loreel`, which has started them, and with another Redis, whose operator starts them."""
    return not settings.redis_url and not os.environ.get(SUPERVISED)


def _start_and_wait(settings: Settings, served_pid: int) -> None:
    """Starts the supervisor of the companions; returns when Redis answers and the tables exist.

    A supervisor that finds another one on the same data folder (after a hot reload) ends.
    """
    command = [sys.executable, "-m", "orchestrator.stack.companions", str(served_pid)]
    subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, start_new_session=True)
    until = time.monotonic() + START_LIMIT_S
    while not (redis_server.answers(settings.redis_socket) and _tables_exist(settings)):
        if time.monotonic() > until:
            raise StackError(
                f"Redis and the worker did not start within {START_LIMIT_S:.0f} s: the lines above say why."
            )
        time.sleep(0.1)


def _tables_exist(settings: Settings) -> bool:
    return migrate.is_current(settings) or not settings.resolved_database_url.startswith("sqlite")


@asynccontextmanager
async def companions_lifespan() -> AsyncIterator[None]:
    """Lives as long as the web process; the companions live as long as the `reflex run` above it."""
    settings = get_settings()
    keep_files_private(settings.data_dir)
    if needed(settings):
        await asyncio.to_thread(_start_and_wait, settings, os.getppid())
    yield


def keep(settings: Settings, served_pid: int) -> int:
    """Serves until the process with this id has ended."""
    checks.check_release_of_data(settings.data_dir)
    migrate.refuse_newer_file(settings)
    keep_files_private(settings.data_dir)
    checks.check_data_dir(settings.data_dir)
    try:
        lock = checks.lock_data_dir(settings.data_dir)
    except StackError:
        return 0
    log = Log(settings.log_format == "json")
    supervisor = Supervisor(log, settings.data_dir / "run.json")
    supervisor.listen_to_signals()
    try:
        migrate.migrate(settings)
        note_release(settings.data_dir)
        embedded_redis.start(supervisor, settings, log)
        for child in processes.job_processes(settings, log):
            supervisor.start(child)
        supervisor.watch(should_end=lambda: not psutil.pid_exists(served_pid))
    finally:
        supervisor.stop()
        lock.close()
    return 0


if __name__ == "__main__":
    try:
        sys.exit(keep(checks.read_settings(), int(sys.argv[1])))
    except StackError as refused:
        print(f"loreel: {refused}", file=sys.stderr)
        sys.exit(1)
