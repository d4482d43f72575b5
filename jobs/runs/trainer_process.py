"""A trainer as the horse sees it: started fresh for this run, or taken over from the worker, already imported."""

import contextlib
import os
import select
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import psutil

from jobs.processes.parent_death import die_with_parent
from jobs.processes.process_tree import kill_tree
from orchestrator.domain.process_environment import PARENT_PID
from orchestrator.settings import ROOT

COLD = (sys.executable, "-m", "jobs.trainer")
WARM = (sys.executable, "-m", "jobs.trainer.prewarmed_main")
"""Imports everything, then waits on stdin for the path of a spec."""

TOGETHER = (sys.executable, "-m", "accelerate.commands.launch", "--multi_gpu", "--num_machines", "1")
"""Starts several trainers for one spec, each on a GPU of its own, and ends all when one ends badly."""


def _environment() -> dict[str, str]:
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH", ""))))
    return os.environ | {"PYTHONUNBUFFERED": "1", "PYTHONPATH": path, PARENT_PID: str(os.getpid())}


def together(processes: int) -> tuple[str, ...]:
    """The command of that many trainers that train one model."""
    # Port 0: any free one, since other jobs of this host may train like this too.
    plain = ("--mixed_precision", "no", "--dynamo_backend", "no", "--main_process_port", "0")
    return (*TOGETHER, "--num_processes", str(processes), *plain, "--module", "jobs.trainer")


class TrainerProcess:
    """Starts a trainer for one spec and tells when and how it ended."""

    def __init__(
        self,
        pid: int,
        output: int,
        exit_fd: int | None,
        popen: subprocess.Popen[bytes] | None,
        several: bool = False,
    ) -> None:
        self.pid, self.output, self._several = pid, output, several
        self._exit_fd, self._popen = exit_fd, popen
        self._code: int | None = None

    @classmethod
    def start(cls, spec: Path, command: Sequence[str] | None = None, processes: int = 1) -> "TrainerProcess":
        """A fresh process in a session of its own, killed by the kernel when we die; `processes`: it starts several."""
        me = os.getpid()
        command = command or (together(processes) if processes > 1 else None)
        popen = subprocess.Popen(
            [*(command or COLD), str(spec)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=_environment(),
            cwd=ROOT,
            start_new_session=True,
            preexec_fn=lambda: die_with_parent(me),
        )
        assert popen.stdout is not None
        return cls(popen.pid, popen.stdout.fileno(), _pidfd(popen.pid), popen, processes > 1)

    @classmethod
    def take_over(cls, spare: "PrewarmedTrainer", spec: Path) -> "TrainerProcess":
        """The worker's spare gets its spec. Its stdin stays open here: it ends itself when we are gone."""
        os.write(spare.stdin, f"{spec}\n".encode())
        return cls(spare.pid, spare.output, spare.status, None)

    def wait(self, timeout: float) -> int | None:
        """The exit code (negative: the signal), or None when it still runs after `timeout` seconds."""
        if self._code is not None:
            return self._code
        if self._popen is not None:
            if self._exit_fd is not None:
                select.select([self._exit_fd], [], [], timeout)
                self._code = self._popen.poll()
            else:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._code = self._popen.wait(timeout)
            return self._code
        assert self._exit_fd is not None
        if select.select([self._exit_fd], [], [], timeout)[0]:
            said = os.read(self._exit_fd, 32)
            self._code = int(said) if said else -signal.SIGKILL
        return self._code

    def ask_to_stop(self) -> None:
        """SIGTERM to the trainer alone: it ends after the current step.

        Of several each is told, and the launcher is not: it would end them in the middle of a step.
        """
        for pid in _trainers(self.pid) if self._several else (self.pid,):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)

    def kill(self) -> None:
        """Ends it and everything it started, at once."""
        kill_tree(self.pid)


class PrewarmedTrainer:
    """A trainer that has imported everything and waits for its spec. Made and reaped by the worker."""

    def __init__(self, command: Sequence[str] | None = None) -> None:
        self._popen = subprocess.Popen(
            [*(command or WARM)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=_environment(),
            cwd=ROOT,
            start_new_session=True,
        )
        assert self._popen.stdin is not None
        assert self._popen.stdout is not None
        self.pid = self._popen.pid
        self.stdin, self.output = self._popen.stdin.fileno(), self._popen.stdout.fileno()
        # A horse cannot wait for a process it did not start, so the worker passes the exit code on.
        self.status, self._report = os.pipe()

    @property
    def alive(self) -> bool:
        return self._popen.poll() is None

    def reap(self) -> None:
        """Waits for its end and passes the exit code on to the horse; blocks."""
        code = self._popen.wait()
        with contextlib.suppress(OSError):
            os.write(self._report, str(code).encode())
        with contextlib.suppress(OSError):
            os.close(self._report)

    def let_go(self) -> None:
        """In the worker, after a horse was forked that holds the same pipes: closes the worker's ends."""
        for stream in (self._popen.stdin, self._popen.stdout):
            if stream is not None:
                stream.close()
        os.close(self.status)

    def kill(self) -> None:
        """Ends it."""
        kill_tree(self.pid)


def _trainers(launcher: int) -> list[int]:
    with contextlib.suppress(psutil.Error):
        return [child.pid for child in psutil.Process(launcher).children()]
    return []


def _pidfd(pid: int) -> int | None:
    try:
        return os.pidfd_open(pid)  # Linux 5.3 and newer
    except (AttributeError, OSError):
        return None
