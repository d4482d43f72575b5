"""What must hold before anything starts; each refusal is one sentence."""

import errno
import fcntl
import os
import shutil
import socket
from pathlib import Path
from typing import IO

from pydantic import ValidationError

from orchestrator.domain import formatting
from orchestrator.release import NewerData, check_release
from orchestrator.settings import Settings
from orchestrator.stack.errors import StackError

MIN_FREE_BYTES = 512 * 2**20


def read_settings() -> Settings:
    """The settings. Raises StackError naming the first variable that cannot be read."""
    try:
        return Settings()
    except ValidationError as refused:
        problem = refused.errors()[0]
        name = "LOREEL_" + "_".join(str(part) for part in problem["loc"]).upper()
        raise StackError(f"{name} cannot be read: {problem['msg']}.") from None


def check_port(host: str, port: int) -> None:
    """Raises StackError unless host:port can be listened on."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        # A port in TIME_WAIT is free for a server; one that is listened on is not.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as refused:
            raise StackError(_port_sentence(host, port, refused)) from None


def _port_sentence(host: str, port: int, refused: OSError) -> str:
    if refused.errno == errno.EADDRINUSE:
        other = port + 1 if port < 65535 else port - 1
        return f"Port {port} is taken by another program: end it, or choose another: LOREEL_PORT={other} ./loreel up."
    if refused.errno == errno.EACCES:
        return f"Port {port} is reserved for the administrator: choose one above 1023 with LOREEL_PORT."
    return f"Cannot listen on {host}:{port} ({refused.strerror or refused}): check LOREEL_HOST and LOREEL_PORT."


def check_release_of_data(path: Path) -> None:
    """Raises StackError when a newer release than this one has written the data folder; changes nothing."""
    try:
        check_release(path)
    except NewerData as newer:
        raise StackError(str(newer)) from None


def check_data_dir(path: Path) -> None:
    """Makes the data folder. Raises StackError when it cannot be written to or the disk is full."""
    probe = path / f".write-{os.getpid()}"
    try:
        # It holds accounts and footage, so that other users of the machine must not read it.
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        probe.write_bytes(b"x" * 4096)
        free = shutil.disk_usage(path).free
    except OSError as refused:
        if refused.errno == errno.ENOSPC:
            raise StackError(f"The disk that holds {path} is full: free some space.") from None
        reason = refused.strerror or str(refused)
        raise StackError(
            f"The data folder {path} cannot be written to ({reason}): set LOREEL_DATA_DIR to another."
        ) from None
    finally:
        # Where the folder cannot be written to, the file does not exist.
        if os.access(probe, os.F_OK):
            probe.unlink()
    if free < MIN_FREE_BYTES:
        raise StackError(
            f"Only {formatting.size(free)} are free on the disk of {path}: Loreel needs at least 512 MB to start."
        )


def lock_data_dir(path: Path) -> IO[str]:
    """Locks the data folder for this process until the handle is closed.

    Raises:
        StackError: another Loreel works on the same folder.
    """
    handle = (path / "loreel.lock").open("a+")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        handle.seek(0)
        owner = handle.read().strip()
        handle.close()
        who = f" (process {owner})" if owner else ""
        raise StackError(
            f"Loreel already runs on the data folder {path}{who}: end it, or set LOREEL_DATA_DIR."
        ) from None
    handle.truncate(0)
    handle.write(str(os.getpid()))
    handle.flush()
    return handle
