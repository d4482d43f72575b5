"""Starts the embedded Redis under a supervisor; files that it cannot read are moved away, since SQL is the truth."""

from pathlib import Path

from orchestrator.settings import Settings
from orchestrator.stack import processes, redis_server
from orchestrator.stack.children import Log
from orchestrator.stack.supervisor import Supervisor


def start(supervisor: Supervisor, settings: Settings, log: Log) -> None:
    """Returns when Redis answers.

    A server that ends at once on existing files gets an empty folder and a second try. When that fails as well, the
    files were not the cause and come back.

    Raises:
        StackError: it does not start.
    """
    try:
        _start_once(supervisor, settings, log)
        return
    except redis_server.Ended:
        store = settings.data_dir / "redis"
        aside = redis_server.move_aside(store)
        if aside is None:
            raise
    log.line(
        "loreel",
        f"Redis cannot read its files: they are kept in {aside.name}, and the queue is filled again from the database.",
    )
    try:
        _start_once(supervisor, settings, log)
    except redis_server.Ended:
        redis_server.move_back(aside, store)
        raise


def _start_once(supervisor: Supervisor, settings: Settings, log: Log) -> None:
    child = supervisor.start(processes.redis(settings, log))
    try:
        redis_server.wait_until_answers(settings.redis_socket, lambda: child.alive)
    except redis_server.Ended:
        supervisor.forget(child)
        raise
    if version := redis_server.server_version(Path(child.command[0])):
        redis_server.note_version(settings.data_dir / "redis", version)
