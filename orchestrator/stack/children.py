"""One supervised process: started in a group of its own, its lines prefixed, its whole tree ended on stop."""

import ctypes
import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime

import psutil

from orchestrator.redaction import redact_text

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None

BACKOFF_S = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
STEADY_S = 10.0
"""After a process has run this long, the backoff starts from its beginning again."""


def die_with_parent() -> None:
    """Asks the kernel for a SIGTERM when the starting thread's process ends, however it ends."""
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def adopt_orphans() -> None:
    """Makes this process the parent of grandchildren whose parent died, so that a stop finds them."""
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_CHILD_SUBREAPER, 1)


class Log:
    """Writes lines from several threads, each with the name of its process in front and without secrets.

    With JSON logs, lines that are records stay as they are, and all others become records.
    """

    COLOURS = {"loreel": 36, "web": 32, "worker": 35, "controller": 33, "redis": 31}

    def __init__(self, as_json: bool = False) -> None:
        self._lock = threading.Lock()
        self._as_json = as_json
        self._colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ

    def line(self, name: str, text: str) -> None:
        line = self._as_record(name, text) if self._as_json else self._labelled(name, text)
        with self._lock:
            try:
                sys.stdout.write(f"{line}\n")
                sys.stdout.flush()
            except (BrokenPipeError, ValueError):
                # Nothing reads our log any more; the processes continue.
                return

    def _labelled(self, name: str, text: str) -> str:
        label = f"{name:<10} |"
        if self._colour:
            label = f"\x1b[{self.COLOURS.get(name, 37)}m{label}\x1b[0m"
        return f"{label} {redact_text(text)}"

    def _as_record(self, name: str, text: str) -> str:
        if text.startswith('{"') and text.endswith("}"):
            return text  # a record of ours, redacted where it was made
        now = datetime.now(UTC).isoformat()
        return json.dumps({"event": redact_text(text), "level": "info", "timestamp": now, "process": name})


@dataclass
class Child:
    """A process to keep alive. `grace_s` is how long it may take to end after SIGTERM."""

    name: str
    command: list[str]
    env: dict[str, str]
    cwd: str
    log: Log
    grace_s: float = 5.0
    suppressed: tuple[str, ...] = ()
    """Lines that contain one of these texts are not shown: warnings that the reader cannot act on."""
    popen: subprocess.Popen | None = None
    failures: int = 0
    restart_at: float = 0.0
    started_at: float = 0.0
    _log_thread: threading.Thread | None = field(default=None, repr=False)

    @property
    def alive(self) -> bool:
        return self.popen is not None and self.popen.poll() is None

    def start(self) -> None:
        """Starts it. Call from the main thread only: the death signal is bound to the calling thread."""
        self.started_at = time.monotonic()
        self.restart_at = 0.0
        self.popen = subprocess.Popen(
            self.command,
            env=self.env,
            cwd=self.cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            process_group=0,
            preexec_fn=die_with_parent,
        )
        self._log_thread = threading.Thread(target=self._copy_lines, args=(self.popen,), daemon=True)
        self._log_thread.start()

    def _copy_lines(self, popen: subprocess.Popen) -> None:
        assert popen.stdout is not None
        for raw in popen.stdout:
            text = raw.decode(errors="replace").rstrip()
            if text and not any(part in text for part in self.suppressed):
                self.log.line(self.name, text)

    def note_end(self) -> float:
        """Called once after it ended: kills the rest of its process group, returns the seconds until its restart."""
        assert self.popen is not None
        end_group(self.popen.pid)
        if time.monotonic() - self.started_at > STEADY_S:
            self.failures = 0
        delay = BACKOFF_S[min(self.failures, len(BACKOFF_S) - 1)]
        self.failures += 1
        self.restart_at = time.monotonic() + delay
        return delay

    def ask_to_end(self) -> list[psutil.Process]:
        """Sends SIGTERM and returns all processes below it, to be killed later if they do not end."""
        if not self.alive or self.popen is None:
            return []
        try:
            family = psutil.Process(self.popen.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            family = []
        self.popen.terminate()
        return family

    def wait_or_kill(self, until: float, family: list[psutil.Process]) -> None:
        """Waits until the given time for it to end, then kills it, its process group and the family."""
        if self.popen is None:
            return
        try:
            self.popen.wait(max(0.0, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait()
        end_group(self.popen.pid)
        kill_all(family)
        if self._log_thread is not None:
            self._log_thread.join(timeout=2.0)


def end_group(pgid: int) -> None:
    """Kills whatever is left in the process group."""
    try:
        os.killpg(pgid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


def kill_all(family: list[psutil.Process]) -> None:
    """Kills those of the processes that still run (psutil compares start times), and reaps our children."""
    for process in family:
        try:
            if process.is_running():
                process.kill()
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs(family, timeout=5.0)
