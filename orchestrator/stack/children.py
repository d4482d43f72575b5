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
"""A process that lived this long has earned a fresh start of the backoff."""


def die_with_parent() -> None:
    """Asks the kernel for a SIGTERM when the starting thread's process ends, however it ends."""
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def adopt_orphans() -> None:
    """Makes grandchildren whose parent died ours, so that a stop finds them."""
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_CHILD_SUBREAPER, 1)


class Log:
    """Writes whole lines from several threads, each with its process's name in front, secrets taken out.

    With JSON logs a line that is a record stays as it is, and any other becomes one.
    """

    COLOURS = {"loreel": 36, "web": 32, "worker": 35, "controller": 33, "redis": 31}

    def __init__(self, as_json: bool = False) -> None:
        self._lock = threading.Lock()
        self._as_json = as_json
        self._colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ

    def line(self, name: str, text: str) -> None:
        whole = self._as_record(name, text) if self._as_json else self._labelled(name, text)
        with self._lock:
            try:
                sys.stdout.write(f"{whole}\n")
                sys.stdout.flush()
            except (BrokenPipeError, ValueError):
                # The reader of our log has ended; the processes go on.
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
    """A process to keep alive. `grace_s` is how long its polite end may take."""

    name: str
    command: list[str]
    env: dict[str, str]
    cwd: str
    log: Log
    grace_s: float = 5.0
    hush: tuple[str, ...] = ()
    """Lines holding one of these are left out: warnings that a user of this terminal cannot act on."""
    popen: subprocess.Popen | None = None
    failures: int = 0
    restart_at: float = 0.0
    started_at: float = 0.0
    _pump: threading.Thread | None = field(default=None, repr=False)

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
        self._pump = threading.Thread(target=self._copy_lines, args=(self.popen,), daemon=True)
        self._pump.start()

    def _copy_lines(self, popen: subprocess.Popen) -> None:
        assert popen.stdout is not None
        for raw in popen.stdout:
            text = raw.decode(errors="replace").rstrip()
            if text and not any(part in text for part in self.hush):
                self.log.line(self.name, text)

    def note_end(self) -> float:
        """Called once when it ended by itself: ends what it left behind, returns the seconds until its restart."""
        assert self.popen is not None
        end_group(self.popen.pid)
        if time.monotonic() - self.started_at > STEADY_S:
            self.failures = 0
        delay = BACKOFF_S[min(self.failures, len(BACKOFF_S) - 1)]
        self.failures += 1
        self.restart_at = time.monotonic() + delay
        return delay

    def ask_to_end(self) -> list[psutil.Process]:
        """Sends SIGTERM and returns everything below it, to be ended later if it stays."""
        if not self.alive or self.popen is None:
            return []
        try:
            family = psutil.Process(self.popen.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            family = []
        self.popen.terminate()
        return family

    def wait_or_kill(self, until: float, family: list[psutil.Process]) -> None:
        """Waits for the polite end until the given moment, then ends the group and the family by force."""
        if self.popen is None:
            return
        try:
            self.popen.wait(max(0.0, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait()
        end_group(self.popen.pid)
        kill_all(family)
        if self._pump is not None:
            self._pump.join(timeout=2.0)


def end_group(pgid: int) -> None:
    """Kills whatever is left in the process group."""
    try:
        os.killpg(pgid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


def kill_all(family: list[psutil.Process]) -> None:
    """Kills the processes that are still the ones listed (psutil compares start times), and reaps ours."""
    for process in family:
        try:
            if process.is_running():
                process.kill()
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs(family, timeout=5.0)
