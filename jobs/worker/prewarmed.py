"""Keeps one trainer imported and waiting while a person is about to launch, and none otherwise, to save memory."""

import threading
from collections.abc import Sequence

import psutil
import redis
import structlog

from jobs.runs.trainer_process import PrewarmedTrainer
from orchestrator.domain.redis_keys import PREWARM_CHANNEL, PREWARM_KEY
from orchestrator.services.redis import connect

log = structlog.get_logger()
_POLL_S = 3.0
"""How often the key is checked, in addition to the channel: messages that come while the worker is busy are missed."""
_MIN_FREE_BYTES = 2 * 2**30
"""No trainer is prewarmed on a machine that has less memory free."""


class TrainerPrewarmer:
    """At most one prewarmed trainer. The thread that starts it lives as long as the worker: Linux ties it to that."""

    def __init__(self, guard: threading.Lock, command: Sequence[str] | None = None) -> None:
        """
        Args:
            guard: locked while a trainer is started or handed over, and while the worker forks.
            command: for tests: another program than the trainer.
        """
        self._guard, self._command = guard, command
        self._trainer: PrewarmedTrainer | None = None
        self._busy = False
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._loop, daemon=True, name="prewarmer")

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread and the trainer that waits."""
        self._stopping.set()
        trainer, self._trainer = self._trainer, None
        if trainer is not None:
            trainer.kill()

    def take(self) -> PrewarmedTrainer | None:
        """The trainer, for a job process forked now; no other is started until `done`. Call with the guard held."""
        trainer, self._trainer, self._busy = self._trainer, None, True
        return trainer if trainer is not None and trainer.alive else None

    def done(self) -> None:
        """The job process has ended."""
        self._busy = False

    @property
    def pid(self) -> int | None:
        return self._trainer.pid if self._trainer is not None else None

    def _loop(self) -> None:
        client = connect(retries=0, socket_timeout=_POLL_S + 10)
        while not self._stopping.is_set():
            try:
                with client.pubsub(ignore_subscribe_messages=True) as messages:
                    messages.subscribe(PREWARM_CHANNEL)
                    while not self._stopping.is_set():
                        self._update(bool(client.exists(PREWARM_KEY)))
                        messages.get_message(timeout=_POLL_S)
            except (redis.RedisError, OSError):
                self._stopping.wait(2.0)

    def _update(self, launch_expected: bool) -> None:
        """Starts or ends the trainer, as needed."""
        with self._guard:
            trainer = self._trainer
            if trainer is not None and (not launch_expected or not trainer.alive):
                self._trainer = None
                trainer.kill()
            if launch_expected and self._trainer is None and not self._busy and not self._stopping.is_set():
                if psutil.virtual_memory().available < _MIN_FREE_BYTES:
                    return
                self._trainer = started = PrewarmedTrainer(self._command)
                threading.Thread(target=started.reap, daemon=True, name="prewarmed-reaper").start()
