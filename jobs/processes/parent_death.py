"""Ties a process to the one that started it: a killed worker must not leave a trainer running as an orphan."""

import ctypes
import os
import signal
import sys
import threading
import time

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
# Loaded here, because loading a library between fork and exec may hang.
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def die_with_parent(parent_pid: int | None = None) -> None:
    """From now on this process is killed when its parent ends, however the parent ends.

    Linux does it in the kernel (PR_SET_PDEATHSIG); elsewhere a thread looks once a second.

    Args:
        parent_pid: who the parent should be; when it is another already, the parent died and so do we.
    """
    expected = parent_pid or os.getppid()
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    else:
        threading.Thread(target=_watch, args=(expected,), daemon=True, name="tether").start()
    if os.getppid() != expected:
        os._exit(1)


def adopt_orphans() -> None:
    """Processes whose parent below us dies become our children, so that we can find and end them (Linux)."""
    if _libc is not None:
        _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def end_when_closed(fd: int = 0) -> None:
    """Ends this process when the other end of the pipe `fd` is closed: how a waiting trainer notices a dead horse."""
    threading.Thread(target=_read_to_end, args=(fd,), daemon=True, name="tether").start()


def _watch(expected: int) -> None:
    while os.getppid() == expected:
        time.sleep(1.0)
    os._exit(1)


def _read_to_end(fd: int) -> None:
    while os.read(fd, 4096):
        pass
    os._exit(1)
