"""Slow work that many ask for at once: a few run, the others wait, people take turns; waiting holds no thread.

A person who asks for too much is refused with 429, so that fifty requests of one person do not delay everyone else.
"""

import asyncio
import contextlib
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from orchestrator.domain.errors import TooMany, Unavailable

T = TypeVar("T")
_RETRY_S = 5


class FairQueue:
    """A line for one kind of work, in one process.

    Args:
        what: the beginning of the sentences: "Other clips are being drawn".
        at_once: how many run side by side.
        per_person: how many of one person may run or wait.
        limit_s: the longest wait.
    """

    def __init__(self, what: str, at_once: int, per_person: int = 8, limit_s: float = 60.0) -> None:
        self._what, self._at_once, self._per_person, self._limit_s = what, at_once, per_person, limit_s
        self._executor = ThreadPoolExecutor(at_once, thread_name_prefix="fair-queue")
        self._lock = threading.Lock()
        self._running = 0
        self._counts: dict[int, int] = {}
        self._waiting: dict[int, deque[Future[None]]] = {}
        """By person, in the order in which people are served next."""

    async def run(self, person: int, work: Callable[[], T]) -> T:
        """Runs the work in a thread when its turn comes. If the caller goes away meanwhile, its turn passes on.

        Raises:
            TooMany: the person has too much in line. Unavailable: the wait was too long.
        """
        turn = self._enter(person)
        try:
            async with asyncio.timeout(self._limit_s):
                await asyncio.wrap_future(turn)
        except BaseException as error:
            self._give_up(person, turn)
            if isinstance(error, TimeoutError):
                raise self._too_long() from None
            raise
        done = asyncio.wrap_future(self._executor.submit(self._finish, person, work))
        return await asyncio.shield(done)

    def run_blocking(self, person: int, work: Callable[[], T]) -> T:
        """The same in the calling thread.

        Raises:
            TooMany, Unavailable: as `run`.
        """
        turn = self._enter(person)
        try:
            turn.result(self._limit_s)
        except BaseException as error:
            self._give_up(person, turn)
            if isinstance(error, TimeoutError):
                raise self._too_long() from None
            raise
        return self._finish(person, work)

    def _too_long(self) -> Unavailable:
        return Unavailable(f"{self._what}. Try again in a moment.")

    def _finish(self, person: int, work: Callable[[], T]) -> T:
        try:
            return work()
        finally:
            self._leave(person)

    def _enter(self, person: int) -> "Future[None]":
        turn: Future[None] = Future()
        with self._lock:
            if self._counts.get(person, 0) >= self._per_person:
                raise TooMany(f"{self._what}: {self._per_person} of them are yours. Wait for those first.", _RETRY_S)
            self._counts[person] = self._counts.get(person, 0) + 1
            self._waiting.setdefault(person, deque()).append(turn)
            self._serve()
        return turn

    def _leave(self, person: int) -> None:
        with self._lock:
            self._running -= 1
            self._forget(person)
            self._serve()

    def _give_up(self, person: int, turn: "Future[None]") -> None:
        with self._lock:
            line = self._waiting.get(person)
            if line is not None and turn in line:
                line.remove(turn)
                if not line:
                    del self._waiting[person]
            else:
                self._running -= 1  # its turn had come in this moment
            self._forget(person)
            self._serve()

    def _forget(self, person: int) -> None:
        self._counts[person] -= 1
        if not self._counts[person]:
            del self._counts[person]

    def _serve(self) -> None:
        while self._running < self._at_once and self._waiting:
            person = next(iter(self._waiting))
            line = self._waiting.pop(person)
            turn = line.popleft()
            if line:
                self._waiting[person] = line  # behind everyone else
            self._running += 1
            with contextlib.suppress(Exception):  # given up in this moment: `_give_up` corrects the count
                turn.set_result(None)
