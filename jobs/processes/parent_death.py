"""Ties a process to the one that started it, so that a killed worker leaves no trainer running as an orphan."""

import ctypes
import os
import signal
import sys
import threading
import time

from orchestrator.domain.processes import PARENT_PID

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
# Loaded here, because loading a library between fork and exec may hang.
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def die_with_parent(parent_pid: int | None = None) -> None:
    """Has this process killed when its parent ends, however the parent ends.

    Linux does it in the kernel (PR_SET_PDEATHSIG), when the *thread* that started this process ends; elsewhere a
    thread checks once a second.

    Args:
        parent_pid: the expected parent; when this process has another one already, its parent has died and it exits.
    """
    expected = parent_pid or os.getppid()
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    else:
        threading.Thread(target=_watch, args=(expected,), daemon=True, name="parent-watch").start()
    if os.getppid() != expected:
        os._exit(1)


def die_with_declared_parent() -> None:
    """`die_with_parent` for the parent that set `PARENT_PID`; without the variable nothing happens: run by hand."""
    if parent_pid := os.environ.pop(PARENT_PID, ""):
        die_with_parent(int(parent_pid))


def adopt_orphans() -> None:
    """Makes descendants whose own parent dies our children, so that we can find and end them (Linux)."""
    if _libc is not None:
        _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def end_when_closed(fd: int = 0) -> None:
    """Exits when the other end of the pipe `fd` is closed: so a prewarmed trainer notices that its run is over."""
    threading.Thread(target=_read_to_end, args=(fd,), daemon=True, name="parent-watch").start()


def _watch(expected: int) -> None:
    while os.getppid() == expected:
        time.sleep(1.0)
    os._exit(1)


def _read_to_end(fd: int) -> None:
    while os.read(fd, 4096):
        pass
    os._exit(1)
