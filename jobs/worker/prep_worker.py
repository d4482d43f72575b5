"""Keeps the sibling worker alive that unpacks and probes datasets, so that an upload never waits behind a training."""

import contextlib
import os
import subprocess
import sys
import threading

from orchestrator.domain.machines import PREP
from orchestrator.domain.process_environment import PARENT_PID
from orchestrator.settings import ROOT

_LOOK_S = 2.0


class PrepKeeper:
    """Starts the sibling, again when it died. The kernel ties it to our thread, which lives as long as we do."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._loop, daemon=True, name="prep-keeper")

    def start(self) -> None:
        self._thread.start()

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def stop(self) -> None:
        """Ends the sibling; what it was reading is read again at the next start."""
        self._over.set()
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
            if self._over.wait(_LOOK_S):
                return
