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
        """Ends the prep worker; an import that it had begun is begun again by the next one."""
        self._stopping.set()
        self._thread.join(timeout=3.0)
        if self._process is not None:
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(5.0)

    def _loop(self) -> None:
        while True:
            if self._process is None or self._process.poll() is not None:
                env = os.environ | {PARENT_PID: str(os.getpid())}
                command = [sys.executable, "-m", "jobs.worker", "--device", PREP]
                self._process = subprocess.Popen(command, env=env, cwd=ROOT, start_new_session=True)
            if self._stopping.wait(_POLL_S):
                return
