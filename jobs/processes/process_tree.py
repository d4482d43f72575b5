"""Ends a process with everything that it started: data loaders and ranks would outlive their trainer."""

import contextlib
import os
import signal
from collections.abc import Collection

import psutil


def descendants(pid: int) -> list[psutil.Process]:
    """Every process below `pid`, in no order; none when it has ended."""
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def kill_tree(pid: int) -> None:
    """Kills the process group that `pid` leads, and everything below it.

    The group exists as long as one of its members does, even after `pid` itself has ended.
    """
    below = descendants(pid)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
    for process in below:
        with contextlib.suppress(psutil.Error):
            process.kill()


def sweep_children(keep: Collection[int]) -> list[int]:
    """Kills and reaps everything below this process except the trees of `keep`; the pids that it killed."""
    me = os.getpid()
    excluded = {pid for root in keep for pid in (root, *(process.pid for process in descendants(root)))}
    orphans = [process for process in descendants(me) if process.pid not in excluded]
    for process in orphans:
        with contextlib.suppress(psutil.Error):
            process.kill()
    for process in orphans:
        with contextlib.suppress(ChildProcessError, OSError):
            os.waitpid(process.pid, 0)
    return [process.pid for process in orphans]
