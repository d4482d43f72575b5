"""Ends a trainer that has been cut off: it has reached neither Redis nor the database for a time.

A run that is cut off cannot learn that its job was given to another worker. So the trainer saves a checkpoint and ends,
whether the links come back or not; its supervisor waits (`Supervisor.wait_for_database`). One of the two stores is
enough to go on: through either a newer attempt would be seen.
"""

import threading
import time
from collections.abc import Callable

import structlog

from jobs.runs.trainer_process import TrainerProcess

log = structlog.get_logger()
_CHECK_S = 0.5


class IsolationWatch:
    """Watches from a thread of its own: a read that hangs in a dead connection must not delay the end.

    Attributes:
        isolated: the limit has passed, and the trainer was asked to stop.
    """

    def __init__(
        self,
        trainer: TrainerProcess,
        redis_reached_at: Callable[[], float],
        limit_s: float,
        grace_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """
        Args:
            redis_reached_at: when Redis last answered, by `clock`.
            limit_s: seconds without both stores.
            grace_s: seconds to save a checkpoint, before the trainer is killed.
        """
        self.isolated = False
        self._trainer, self._redis_reached_at = trainer, redis_reached_at
        self._limit_s, self._grace_s, self._clock = limit_s, grace_s, clock
        self._database_reached_at = clock()
        self._ended = threading.Event()

    def database_reached(self) -> None:
        """The database has just answered."""
        self._database_reached_at = self._clock()

    def start(self) -> None:
        threading.Thread(target=self._loop, daemon=True, name="isolation").start()

    def stop(self) -> None:
        """Ends the watch: the trainer has ended."""
        self._ended.set()

    def silent_s(self) -> float:
        """Seconds since either store answered."""
        return self._clock() - max(self._database_reached_at, self._redis_reached_at())

    def _loop(self) -> None:
        while not self._ended.wait(_CHECK_S):
            if self.silent_s() >= self._limit_s:
                self.isolated = True
                log.warning("isolation.limit_passed", trainer=self._trainer.pid, seconds=self._limit_s)
                self._trainer.ask_to_stop()
                if not self._ended.wait(self._grace_s):
                    self._trainer.kill()
                return
