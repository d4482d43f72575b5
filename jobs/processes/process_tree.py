"""Ends a process with everything it started: data loaders and ranks outlive their trainer otherwise."""

import contextlib
import os
import signal
from collections.abc import Collection

import psutil


def descendants(pid: int) -> list[psutil.Process]:
    """Every process below `pid`, in no order; empty when it is gone."""
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def kill_tree(pid: int) -> None:
    """Kills the process group that `pid` leads and everything below it at once.

    The group is there as long as one of its members is, also when `pid` itself has ended.
    """
    below = descendants(pid)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
    for process in below:
        with contextlib.suppress(psutil.Error):
            process.kill()


def sweep_children(keep: Collection[int]) -> list[int]:
    """Kills and reaps everything below this process except the trees of `keep`; says which pids."""
    me = os.getpid()
    spared = {pid for kept in keep for pid in (kept, *(p.pid for p in descendants(kept)))}
    doomed = [process for process in descendants(me) if process.pid not in spared]
    for process in doomed:
        with contextlib.suppress(psutil.Error):
            process.kill()
    for process in doomed:
        with contextlib.suppress(ChildProcessError, OSError):
            os.waitpid(process.pid, 0)
    return [process.pid for process in doomed]
