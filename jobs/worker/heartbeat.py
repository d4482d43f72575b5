"""The worker's heartbeat: its row in the database every five seconds, with how busy the machine is."""

import contextlib
import socket
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import structlog
from sqlmodel import Session

from jobs.telemetry.device import Device, stats
from orchestrator.beats import Beat
from orchestrator.domain.base import utcnow
from orchestrator.domain.machines import PREP
from orchestrator.services.db import DATABASE_AWAY, close_before_fork, session_scope, why_away
from orchestrator.services.workers import beat, is_draining, remove_worker

log = structlog.get_logger()
INTERVAL_S = 5.0
MAX_HISTORY = 60
"""Beats whose load is kept for the small curves of the worker's card: five minutes."""


def memory_share(load: dict[str, Any]) -> float:
    """0..1: how full the memory is that a training needs, the GPU's where there is one."""
    kind = "gpu_memory" if load.get("gpu_memory_total") else "memory"
    return round(load[f"{kind}_used"] / (load[f"{kind}_total"] or 1), 4)


class Heartbeat:
    """Writes the worker's row from a thread.

    `guard` is locked while the database is in use: a fork at that moment would copy a locked SQLite into the child, or
    a connection to PostgreSQL in the middle of a statement.
    """

    def __init__(self, name: str, device: Device, device_class: str, pid: int, job: Callable[[], int | None]) -> None:
        """
        Args:
            job: the id of the job that the worker trains now.
        """
        self.name, self._device, self._class, self._pid, self._job = name, device, device_class, pid, job
        self._pool = device_class if device_class == PREP else device.shape.name
        self._started, self._stopping = utcnow(), threading.Event()
        self._history: deque[list[float]] = deque(maxlen=MAX_HISTORY)
        self.guard = threading.Lock()
        self._missing = False
        self._alive = Beat(PREP if device_class == PREP else "worker")
        self.draining = False
        """True once an administrator asked this worker to take no more jobs."""
        self._thread = threading.Thread(target=self._loop, daemon=True, name="heartbeat")

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread and removes the worker's row."""
        self._stopping.set()
        self._thread.join(timeout=6.0)
        self._alive.end()
        with contextlib.suppress(*DATABASE_AWAY), self.session() as session:
            remove_worker(session, self.name)

    @contextmanager
    def session(self) -> Iterator[Session]:
        """One transaction, during which the worker does not fork; it leaves nothing open that a child must not have."""
        with self.guard:
            try:
                with session_scope() as session:
                    yield session
            finally:
                close_before_fork()

    def refresh_draining(self) -> bool:
        """Reads from the database whether this worker drains."""
        with contextlib.suppress(*DATABASE_AWAY), self.session() as session:
            self.draining = is_draining(session, self.name)
        return self.draining

    def _loop(self) -> None:
        self._beat()
        while not self._stopping.wait(INTERVAL_S):
            self._beat()

    def _beat(self) -> None:
        self._alive.touch()
        load = stats(self._device)
        self._history.append([load["utilisation"], memory_share(load)])
        load["past"] = list(self._history)
        try:
            with self.session() as session:
                self.draining = beat(
                    session,
                    self.name,
                    host=socket.gethostname(),
                    device=self._device.label,
                    device_class=self._class,
                    pid=self._pid,
                    job_id=self._job(),
                    stats=load,
                    pool=self._pool,
                    gpus=self._device.memories,
                    started_at=self._started,
                )
        except DATABASE_AWAY as error:
            if not self._missing:
                log.warning("worker.beat_missed", error=why_away(error))
            self._missing = True
            return
        if self._missing:
            log.info("worker.beats_again")
        self._missing = False
