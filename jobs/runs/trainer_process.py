"""The trainer's process as the job process sees it: started for this run, or taken over, with everything imported."""

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
from orchestrator.domain.processes import PARENT_PID, RUN_REDIS_URL
from orchestrator.settings import ROOT, get_settings

TRAINER_COMMAND = (sys.executable, "-m", "jobs.trainer")
PREWARMED_COMMAND = (sys.executable, "-m", "jobs.trainer.prewarmed_main")
"""Imports everything, then waits on stdin for the path of a spec."""

LAUNCHER_COMMAND = (sys.executable, "-m", "accelerate.commands.launch", "--multi_gpu", "--num_machines", "1")
"""Starts a trainer (a rank) on each of several GPUs for one spec, and ends all of them when one fails."""


_KEYS = ("LOREEL_DATABASE_URL", "LOREEL_REDIS_URL", "LOREEL_SECRET_KEY", "LOREEL_SMTP_PASSWORD")


def _environment() -> dict[str, str]:
    """This process's environment without the studio's keys, but for the address of Redis, to which records go."""
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH", ""))))
    inherited = {name: value for name, value in os.environ.items() if name not in _KEYS}
    own = {PARENT_PID: str(os.getpid()), RUN_REDIS_URL: get_settings().resolved_redis_url}
    return inherited | {"PYTHONUNBUFFERED": "1", "PYTHONPATH": path} | own


def launcher_command(ranks: int) -> tuple[str, ...]:
    """The command that starts so many ranks, which train one model together."""
    # Port 0: any free one, since other jobs of this host may train on several GPUs too.
    options = ("--mixed_precision", "no", "--dynamo_backend", "no", "--main_process_port", "0")
    return (*LAUNCHER_COMMAND, "--num_processes", str(ranks), *options, "--module", "jobs.trainer")


class TrainerProcess:
    """A running trainer, or the launcher of several.

    Attributes:
        output: file descriptor from which everything that it prints is read.
    """

    def __init__(
        self,
        pid: int,
        output: int,
        exit_fd: int | None,
        popen: subprocess.Popen[bytes] | None,
        is_launcher: bool = False,
    ) -> None:
        """
        Args:
            exit_fd: readable once it has ended: its pidfd, or the pipe through which its starter passes the exit code.
            popen: None for one that another process started.
        """
        self.pid, self.output, self._is_launcher = pid, output, is_launcher
        self._exit_fd, self._popen = exit_fd, popen
        self._code: int | None = None

    @classmethod
    def start(cls, spec: Path, command: Sequence[str] | None = None, processes: int = 1) -> "TrainerProcess":
        """Starts a trainer in a session of its own; the kernel kills it when this process dies.

        Args:
            command: the program that gets the path of the spec, instead of the trainer.
            processes: ranks, each on a GPU of its own.
        """
        me = os.getpid()
        command = command or (launcher_command(processes) if processes > 1 else None)
        popen = subprocess.Popen(
            [*(command or TRAINER_COMMAND), str(spec)],
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
    def take_over(cls, prewarmed: "PrewarmedTrainer", spec: Path) -> "TrainerProcess":
        """Hands the spec to a prewarmed trainer. It ends when this process does, which closes its stdin."""
        os.write(prewarmed.stdin, f"{spec}\n".encode())
        return cls(prewarmed.pid, prewarmed.output, prewarmed.exit_code_fd, None)

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
            code = os.read(self._exit_fd, 32)
            self._code = int(code) if code else -signal.SIGKILL
        return self._code

    def ask_to_stop(self) -> None:
        """Sends SIGTERM to the trainer: it ends after the current step or batch.

        Of several ranks each gets it, and the launcher does not: it would end them in the middle of a step.
        """
        for pid in _ranks(self.pid) if self._is_launcher else (self.pid,):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)

    def kill(self) -> None:
        """Ends it and everything it started, at once."""
        kill_tree(self.pid)


class PrewarmedTrainer:
    """A trainer that has imported everything and waits for its spec. The worker starts it and waits for its end."""

    def __init__(self, command: Sequence[str] | None = None) -> None:
        self._popen = subprocess.Popen(
            [*(command or PREWARMED_COMMAND)],
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
        # The job process cannot wait for a process that it did not start, so the worker passes the exit code on.
        self.exit_code_fd, self._exit_code_sender = os.pipe()

    @property
    def alive(self) -> bool:
        return self._popen.poll() is None

    def reap(self) -> None:
        """Waits for its end and passes the exit code on to the job process; blocks."""
        code = self._popen.wait()
        with contextlib.suppress(OSError):
            os.write(self._exit_code_sender, str(code).encode())
        with contextlib.suppress(OSError):
            os.close(self._exit_code_sender)

    def close_pipes(self) -> None:
        """In the worker, once a job process was forked that holds the same pipes: closes the worker's ends."""
        for stream in (self._popen.stdin, self._popen.stdout):
            if stream is not None:
                stream.close()
        os.close(self.exit_code_fd)

    def kill(self) -> None:
        """Ends it."""
        kill_tree(self.pid)


def _ranks(launcher: int) -> list[int]:
    with contextlib.suppress(psutil.Error):
        return [child.pid for child in psutil.Process(launcher).children()]
    return []


def _pidfd(pid: int) -> int | None:
    try:
        return os.pidfd_open(pid)  # Linux 5.3 and newer
    except (AttributeError, OSError):
        return None
