"""Keeps web, controller, worker and Redis alive, and leaves no process behind when it ends."""

import contextlib
import json
import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from orchestrator.stack.children import Child, Log, adopt_orphans, kill_all


class Supervisor:
    """Starts children in the given order, restarts those that die, stops them in the reverse order."""

    def __init__(self, log: Log, run_file: Path) -> None:
        self.log = log
        self.children: list[Child] = []
        self.stopping = threading.Event()
        self._run_file = run_file
        self._signals = 0

    def listen_to_signals(self) -> None:
        """Ctrl-C and SIGTERM stop everything; a second one stops at once."""
        adopt_orphans()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)

    def _on_signal(self, number: int, _frame: object) -> None:
        self._signals += 1
        self.stopping.set()

    def start(self, child: Child) -> Child:
        """Starts a child and supervises it from now on."""
        child.start()
        self.children.append(child)
        self.write_run_file()
        return child

    def forget(self, child: Child) -> None:
        """Ends a child and does not restart it."""
        child.wait_or_kill(time.monotonic(), child.ask_to_end())
        self.children.remove(child)
        self.write_run_file()

    def write_run_file(self) -> None:
        """Writes the process ids to `run.json`."""
        pids = {child.name: child.popen.pid for child in self.children if child.popen is not None}
        fresh = self._run_file.with_suffix(".tmp")
        # A full disk must not end the running processes.
        with contextlib.suppress(OSError):
            fresh.write_text(json.dumps({"supervisor": os.getpid(), **pids}))
            fresh.replace(self._run_file)

    def tick(self) -> None:
        """Checks every child once: notices those that ended, restarts those that are due."""
        for child in self.children:
            if child.alive:
                continue
            if not child.restart_at:
                code = child.popen.returncode if child.popen else None
                delay = child.note_end()
                self.log.line("loreel", f"{child.name} ended ({_how(code)}); starting it again in {delay:g} s")
            elif time.monotonic() >= child.restart_at:
                child.start()
                self.write_run_file()

    def watch(self, should_end: Callable[[], bool] = lambda: False) -> None:
        """Supervises until a signal comes or `should_end()` returns True."""
        while not self.stopping.wait(0.2) and not should_end():
            self.tick()

    def stop(self) -> None:
        """Ends everything: web, worker and controller together, then Redis, which they use until their end."""
        storage = [child for child in self.children if child.name == "redis"]
        for group in ([child for child in self.children if child not in storage], storage):
            ending = [(child, child.ask_to_end()) for child in group]
            now = time.monotonic()
            for child, family in ending:
                self._wait(child, now + child.grace_s)
                child.wait_or_kill(time.monotonic(), family)
        # Orphans were adopted: whatever is still below us belongs to one of the children.
        kill_all(psutil.Process().children(recursive=True))
        self._run_file.unlink(missing_ok=True)

    def _wait(self, child: Child, until: float) -> None:
        """Waits for the child to end, at most until a second signal."""
        while child.alive and time.monotonic() < until and self._signals < 2:
            time.sleep(0.02)


def _how(code: int | None) -> str:
    if code is None:
        return "never started"
    if code < 0:
        return f"signal {signal.Signals(-code).name}"
    return f"exit code {code}"
