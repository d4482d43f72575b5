"""Workers and controllers in forks of a process that has imported them: 1.5 s of a core less for each that starts."""

import contextlib
import importlib
import multiprocessing
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from orchestrator.settings import ROOT

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["jobs.worker.main", "jobs.controller.loop"])


class ForkedProcess:
    """A program in a process and a session of its own, with those methods of Popen that the tests call."""

    def __init__(self, module: str, *arguments: Any, log: Path) -> None:
        """
        Args:
            module: its function `main` gets the arguments and returns the exit code.
            log: the file to which its output is appended.
        """
        self._process = _FORKS.Process(target=_run, args=(module, arguments, log, dict(os.environ)))
        self._process.start()
        assert self._process.pid
        self.pid: int = self._process.pid

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    def poll(self) -> int | None:
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        self._process.join(timeout)
        if self.returncode is None:
            raise subprocess.TimeoutExpired(str(self._process), timeout or 0.0)
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.returncode is None:
            with contextlib.suppress(ProcessLookupError):  # its server has not told yet that it ended
                os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


AnyProcess = subprocess.Popen[bytes] | ForkedProcess


def _run(module: str, arguments: tuple[Any, ...], log: Path, environment: dict[str, str]) -> None:
    """In the fork: becomes the program."""
    os.setsid()
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for number in (1, 2):
        os.dup2(output, number)
    sys.stdout.reconfigure(line_buffering=True)  # pyright: ignore[reportAttributeAccessIssue]
    os.environ.clear()
    os.environ.update(environment | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"})
    os.chdir(ROOT)
    multiprocessing.set_start_method("fork", force=True)  # what a program of its own would have
    sys.exit(importlib.import_module(module).main(*arguments))
