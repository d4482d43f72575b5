"""How long a line that breaks again and again is borne, be it that a list comes over it or a file."""

import time
from collections.abc import Callable
from typing import TypeVar

from jobs.fetch.failures import may_pass
from jobs.fetch.report import Progress

Answer = TypeVar("Answer")
REST_S, LONGEST_REST_S = 0.5, 30.0
"""The pause after a line that broke; each one after a line that brought nothing is twice as long, up to this."""


class Patience:
    """For what comes in several pieces.

    Args:
        patience_s: how long lines that bring nothing are borne.
        progress: says in each pause that somebody is here.
    """

    def __init__(self, patience_s: float, progress: Progress) -> None:
        self._patience_s, self._progress = patience_s, progress
        self.heard()

    def heard(self) -> None:
        """Something came."""
        self._heard_at, self._rest = time.monotonic(), REST_S

    def bear(self, error: Exception) -> None:
        """Rests for a while, after which it may be tried again.

        Raises:
            Exception: the error, when it will not pass or nothing came for too long.
        """
        if not may_pass(error) or time.monotonic() - self._heard_at >= self._patience_s:
            raise error
        self._progress.tell()
        time.sleep(self._rest)
        self._rest = min(self._rest * 2, LONGEST_REST_S)

    def ask(self, question: Callable[[], Answer]) -> Answer:
        """The answer to what may be asked again and again."""
        while True:
            try:
                answer = question()
            except Exception as error:
                self.bear(error)
            else:
                self.heard()
                return answer
