"""Keeps one trainer imported and waiting while somebody is about to launch; none when nobody is, to save memory."""

import threading
from collections.abc import Sequence

import psutil
import redis
import structlog

from jobs.runs.trainer_process import PrewarmedTrainer
from orchestrator.domain.redis_keys import PREWARM_CHANNEL, PREWARM_KEY
from orchestrator.services.redis import connect

log = structlog.get_logger()
_LOOK_S = 3.0
"""How often the wish is looked up beside the calls: a call that comes while a horse runs is heard too early."""
_FREE_BYTES = 2 * 2**30
"""No spare on a machine that has less memory left."""


class TrainerPrewarmer:
    """At most one spare. The thread that makes them lives as long as the worker: the kernel ties a spare to it."""

    def __init__(self, guard: threading.Lock, command: Sequence[str] | None = None) -> None:
        self._guard, self._command = guard, command
        self._spare: PrewarmedTrainer | None = None
        self._busy = False
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._loop, daemon=True, name="spares")

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ends the keeper and its spare."""
        self._over.set()
        spare, self._spare = self._spare, None
        if spare is not None:
            spare.kill()

    def take(self) -> PrewarmedTrainer | None:
        """The spare, for a horse that is forked now; none is made until `done`. Call with the guard held."""
        spare, self._spare, self._busy = self._spare, None, True
        return spare if spare is not None and spare.alive else None

    def done(self) -> None:
        """The horse is back."""
        self._busy = False

    @property
    def pid(self) -> int | None:
        return self._spare.pid if self._spare is not None else None

    def _loop(self) -> None:
        client = connect(retries=0, socket_timeout=_LOOK_S + 10)
        while not self._over.is_set():
            try:
                with client.pubsub(ignore_subscribe_messages=True) as calls:
                    calls.subscribe(PREWARM_CHANNEL)
                    while not self._over.is_set():
                        self._keep(bool(client.exists(PREWARM_KEY)))
                        calls.get_message(timeout=_LOOK_S)
            except (redis.RedisError, OSError):
                self._over.wait(2.0)

    def _keep(self, wanted: bool) -> None:
        with self._guard:
            spare = self._spare
            if spare is not None and (not wanted or not spare.alive):
                self._spare = None
                spare.kill()
            if wanted and self._spare is None and not self._busy and not self._over.is_set():
                if psutil.virtual_memory().available < _FREE_BYTES:
                    return
                self._spare = made = PrewarmedTrainer(self._command)
                threading.Thread(target=made.reap, daemon=True, name="spare-reaper").start()
