"""What a fetching process reports to the process that started it: one JSON object a line, as `child.py` reads them."""

import json
import sys
import time
from typing import Any

from orchestrator.domain import formatting

REPORT_EVERY_S = 0.3


class Problem(Exception):
    """Ends a fetch with a sentence for the user."""


class Progress:
    """Counts bytes, reports them a few times a second, and ends a download that is too large or too slow.

    Args:
        max_bytes: the most that may be downloaded.
        timeout_s: how long fewer than `min_rate` bytes a second are accepted.
        total: bytes expected; 0: unknown.
        min_rate: bytes a second.
    """

    def __init__(self, max_bytes: int, timeout_s: float, total: int = 0, min_rate: int = 1024) -> None:
        self._max, self._timeout, self._min_rate = max_bytes, timeout_s, min_rate
        self.done, self.total = 0, total
        self._reported_at = 0.0
        self._window_start, self._window_began = 0, time.monotonic()

    def add(self, count: int) -> None:
        """Counts `count` more bytes.

        Raises:
            Problem: more than allowed, or too slow for too long.
        """
        self.done += count
        now = time.monotonic()
        if self.done > self._max:
            raise Problem(f"There is more than {formatting.size(self._max)}, the most that is accepted here.")
        if now - self._window_began >= self._timeout:
            if self.done - self._window_start < self._min_rate * self._timeout:
                raise Problem("The server sends too slowly. Try again later, or download the files and upload them.")
            self._window_start, self._window_began = self.done, now
        if now - self._reported_at >= REPORT_EVERY_S:
            self._reported_at = now
            self.report()

    def resume_at(self, count: int) -> None:
        """So many bytes are here already; they do not count for the rate of the others."""
        self.done = self._window_start = count
        self._window_began = time.monotonic()

    def subtract(self, count: int) -> None:
        """So many of the bytes will be downloaded again."""
        self.done, self._window_start = self.done - count, self._window_start - count

    def check_total(self) -> None:
        """Refuses a download whose size is known to be too large.

        Raises:
            Problem: it is.
        """
        if self.total > self._max:
            raise Problem(
                f"It has {formatting.size(self.total)}; at most {formatting.size(self._max)} are accepted here."
            )

    def report(self) -> None:
        """Sends the bytes so far; also the sign that this process is alive."""
        send_message(done=self.done, total=self.total)


def send_message(**message: Any) -> None:
    """One line to the process that started this one."""
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()
