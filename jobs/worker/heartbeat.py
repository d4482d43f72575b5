"""The worker's signs of life: a row in the ledger every five seconds, with what the machine does."""

import contextlib
import socket
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

import structlog
from sqlalchemy.exc import SQLAlchemyError

from jobs.telemetry.device import Device, stats
from orchestrator.domain.base import utcnow
from orchestrator.domain.machines import PREP
from orchestrator.services.db import engine, session_scope
from orchestrator.services.workers import beat, is_draining, remove_worker

log = structlog.get_logger()
BEAT_S = 5.0
KEPT = 60
"""Beats that a worker remembers of itself, for the small curves of its card: five minutes."""


def share_of(facts: dict[str, Any]) -> float:
    """0..1: how full the memory is that a training needs, the GPU's where there is one."""
    kind = "gpu_memory" if facts.get("gpu_memory_total") else "memory"
    return round(facts[f"{kind}_used"] / (facts[f"{kind}_total"] or 1), 4)


class Heartbeat:
    """Beats in a thread. `guard` is held while the ledger is open: a fork in that moment would copy a locked SQLite."""

    def __init__(self, name: str, device: Device, device_class: str, pid: int, job: Callable[[], int | None]) -> None:
        self.name, self._device, self._class, self._pid, self._job = name, device, device_class, pid, job
        self._pool = device_class if device_class == PREP else device.shape.word
        self._started, self._over = utcnow(), threading.Event()
        self._past: deque[list[float]] = deque(maxlen=KEPT)
        self.guard = threading.Lock()
        self.draining = False
        """True since somebody asked this worker to take nothing more."""
        self._thread = threading.Thread(target=self._loop, daemon=True, name="beats")

    def start(self) -> None:
        self._thread.start()

    def soon(self) -> None:
        """One beat now, from whoever calls."""
        self._beat()

    def stop(self) -> None:
        """Ends the beats and takes the worker's row away."""
        self._over.set()
        self._thread.join(timeout=6.0)
        with contextlib.suppress(SQLAlchemyError), self.guard:
            with session_scope() as session:
                remove_worker(session, self.name)
            engine().dispose()

    def refresh_draining(self) -> bool:
        """Whether this worker drains, by what the ledger says now."""
        with contextlib.suppress(SQLAlchemyError), self.guard:
            with session_scope() as session:
                self.draining = is_draining(session, self.name)
            engine().dispose()
        return self.draining

    def _loop(self) -> None:
        self._beat()
        while not self._over.wait(BEAT_S):
            self._beat()

    def _beat(self) -> None:
        facts = stats(self._device)
        self._past.append([facts["utilisation"], share_of(facts)])
        facts["past"] = list(self._past)
        try:
            with self.guard:
                with session_scope() as session:
                    self.draining = beat(
                        session,
                        self.name,
                        host=socket.gethostname(),
                        device=self._device.label,
                        device_class=self._class,
                        pid=self._pid,
                        job_id=self._job(),
                        stats=facts,
                        pool=self._pool,
                        gpus=self._device.memories,
                        started_at=self._started,
                    )
                engine().dispose()
        except SQLAlchemyError as error:
            log.warning("worker.beat_missed", error=str(error).splitlines()[0])
