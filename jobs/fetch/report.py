"""What a fetching child tells its parent: one JSON object a line, how far it is, what it brought, what went wrong."""

import json
import sys
import time
from typing import Any

from orchestrator.domain import formatting

EVERY_S = 0.3


class Problem(Exception):
    """The sentence that ends a fetch."""


class Progress:
    """Counts bytes, says so a few times a second, and ends what is too much or too slow.

    Args:
        max_bytes: the most that may come in all.
        patience_s: how long fewer than `least` bytes a second are borne.
        total: bytes expected, 0 when nobody said.
    """

    def __init__(self, max_bytes: int, patience_s: float, total: int = 0, least: int = 1024) -> None:
        self._max, self._patience, self._least = max_bytes, patience_s, least
        self.done, self.total = 0, total
        self._said = 0.0
        self._mark, self._mark_at = 0, time.monotonic()

    def add(self, count: int) -> None:
        """Notes `count` more bytes.

        Raises:
            Problem: more than allowed, or too slow for too long.
        """
        self.done += count
        now = time.monotonic()
        if self.done > self._max:
            raise Problem(f"There is more than {formatting.size(self._max)}, the most that is accepted here.")
        if now - self._mark_at >= self._patience:
            if self.done - self._mark < self._least * self._patience:
                raise Problem("The server sends too slowly. Try again later, or download the files and upload them.")
            self._mark, self._mark_at = self.done, now
        if now - self._said >= EVERY_S:
            self._said = now
            self.tell()

    def go_on_from(self, count: int) -> None:
        """So many bytes are here already; they say nothing about how fast the others come."""
        self.done = self._mark = count
        self._mark_at = time.monotonic()

    def take_back(self, count: int) -> None:
        """So many of them come once more."""
        self.done, self._mark = self.done - count, self._mark - count

    def check_total(self) -> None:
        """Refuses at once what says that it will be too much."""
        if self.total > self._max:
            raise Problem(
                f"It has {formatting.size(self.total)}; at most {formatting.size(self._max)} are accepted here."
            )

    def tell(self) -> None:
        say(done=self.done, total=self.total)


def say(**what: Any) -> None:
    """One line to the parent."""
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()
