"""The embedded Redis starts whatever became of its files: SQL is the truth, and unreadable files are kept."""

import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from orchestrator.settings import Settings
from orchestrator.stack import embedded_redis, redis_server
from orchestrator.stack.children import Log
from orchestrator.stack.supervisor import Supervisor


class Lines(Log):
    """Keeps what would be printed."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def line(self, name: str, text: str) -> None:
        self.lines.append(text)


@pytest.fixture
def settings() -> Iterator[Settings]:
    with tempfile.TemporaryDirectory(prefix="lrl-", dir="/tmp") as folder:  # a short path for the socket
        yield Settings(data_dir=Path(folder))


def start_and_stop(settings: Settings, key: str = "") -> tuple[list[str], bool]:
    """Starts it, writes a key where one is given, stops it: the lines, and whether the key was there before."""
    log = Lines()
    supervisor = Supervisor(log, settings.data_dir / "run.json")
    try:
        embedded_redis.start(supervisor, settings, log)
        client = redis.Redis(unix_socket_path=str(settings.redis_socket))
        known = bool(client.exists("kept"))
        client.set("kept", key or "1")
        client.close()
    finally:
        supervisor.stop()
    return log.lines, known


def aside(settings: Settings) -> list[Path]:
    return sorted(settings.data_dir.glob("redis.unreadable-*"))


def test_files_survive_a_restart_and_their_version_is_noted(settings: Settings) -> None:
    start_and_stop(settings)
    assert redis_server.data_version(settings.data_dir / "redis") >= redis_server.FLOOR
    assert start_and_stop(settings)[1]
    assert not aside(settings)


def test_unreadable_files_are_put_aside_with_a_sentence(settings: Settings) -> None:
    start_and_stop(settings)
    for path in (settings.data_dir / "redis" / "appendonlydir").glob("*.aof"):
        path.write_bytes(b"not a file of Redis" * 100)
    lines, known = start_and_stop(settings)
    assert not known
    [kept] = aside(settings)
    assert any(kept.name in line and "filled again from the database" in line for line in lines)
    assert any((kept / "appendonlydir").iterdir())


def test_files_of_a_newer_server_are_never_opened(settings: Settings) -> None:
    start_and_stop(settings)
    store = settings.data_dir / "redis"
    redis_server.note_version(store, (99, 0))
    before = {path.name: path.read_bytes() for path in (store / "appendonlydir").iterdir()}
    lines, known = start_and_stop(settings)
    assert not known
    [kept] = aside(settings)
    assert {path.name: path.read_bytes() for path in (kept / "appendonlydir").iterdir()} == before
    assert any("older than the one that wrote its files (99.0)" in line for line in lines)


def test_files_come_back_when_they_were_not_the_cause(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    start_and_stop(settings)
    command = redis_server.server_command
    broken = lambda binary, settings: [*command(binary, settings), "--no-such-option", "1"]  # noqa: E731
    monkeypatch.setattr("orchestrator.stack.processes.server_command", broken)
    with pytest.raises(redis_server.Ended):
        start_and_stop(settings)
    monkeypatch.undo()
    assert not aside(settings)
    assert start_and_stop(settings)[1]


def test_the_server_of_the_package_runs() -> None:
    binary = redis_server.find_binary(which=lambda _: None)
    assert subprocess.run([binary, "--version"], capture_output=True, check=True).stdout.startswith(b"Redis server")
