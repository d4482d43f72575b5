"""Keeps a second worker alive for imports and conversions, so that an upload never waits for a training."""

import contextlib
import os
import subprocess
import sys
import threading

from orchestrator.domain.machines import PREP
from orchestrator.domain.processes import PARENT_PID
from orchestrator.settings import ROOT

_POLL_S = 2.0
_END_S = 5.0
"""How long the prep worker gets to end in order: it removes its row from the list of workers."""


class PrepWorkerKeeper:
    """Starts the prep worker, and again when it ended. The thread that starts it lives as long as this worker."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._loop, daemon=True, name="prep-keeper")

    def start(self) -> None:
        self._thread.start()

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def stop(self) -> None:
        """Ends the prep worker; the next one starts an unfinished import again."""
        self._stopping.set()
        self._thread.join(timeout=_END_S + 3.0)

    def _loop(self) -> None:
        while True:
            if self._process is None or self._process.poll() is not None:
                env = os.environ | {PARENT_PID: str(os.getpid())}
                command = [sys.executable, "-m", "jobs.worker", "--device", PREP]
                self._process = subprocess.Popen(command, env=env, cwd=ROOT, start_new_session=True)
            if self._stopping.wait(_POLL_S):
                self._end(self._process)
                return

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        """Lets it end in order. Called by the thread that started it: the kernel kills it when that thread is gone."""
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_END_S)
