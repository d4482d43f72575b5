"""Retries what a broken connection interrupted, with growing pauses, for as long as the settings allow."""

import time
from collections.abc import Callable
from typing import TypeVar

from jobs.fetch.failures import is_temporary
from jobs.fetch.report import Progress

Answer = TypeVar("Answer")
FIRST_PAUSE_S, MAX_PAUSE_S = 0.5, 30.0
"""Each pause after an attempt that brought nothing is twice as long as the one before."""


class Retry:
    """For something that is downloaded in several pieces.

    Args:
        timeout_s: how long attempts that bring nothing are repeated.
        progress: reports in each pause that this process is alive.
    """

    def __init__(self, timeout_s: float, progress: Progress) -> None:
        self._timeout_s, self._progress = timeout_s, progress
        self.reset()

    def reset(self) -> None:
        """Something arrived: time and pauses start again."""
        self._last_success, self._pause = time.monotonic(), FIRST_PAUSE_S

    def wait_or_raise(self, error: Exception) -> None:
        """Pauses before the next attempt.

        Raises:
            Exception: the error, if it is not temporary or nothing has arrived for too long.
        """
        if not is_temporary(error) or time.monotonic() - self._last_success >= self._timeout_s:
            raise error
        self._progress.report()
        time.sleep(self._pause)
        self._pause = min(self._pause * 2, MAX_PAUSE_S)

    def call(self, question: Callable[[], Answer]) -> Answer:
        """What `question` returns, at the first time that it does not fail."""
        while True:
            try:
                answer = question()
            except Exception as error:
                self.wait_or_raise(error)
            else:
                self.reset()
                return answer
