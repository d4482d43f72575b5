"""Fills the frame cache while a run trains: background threads decode clips before they are needed."""

import contextlib
import os
import threading
from collections.abc import Iterable
from types import TracebackType

from jobs.video.cache import ClipFile, FrameCache

_THREADS = 4
"""Most threads: more would slow the training steps down."""


class FramePrefetcher:
    """Decodes while its context is entered. What it has decoded stays in the cache, for the next attempt too."""

    def __init__(self, cache: FrameCache, clips: Iterable[ClipFile], total: int, threads: int) -> None:
        """
        Args:
            total: how many clips there are.
            threads: 0: nothing is decoded ahead.
        """
        self._cache, self._clips = cache, iter(clips)
        self.total, self.done = total, 0
        """Clips, and how many of them are in the cache by now."""
        self.problem: Exception | None = None
        """Why a clip could not be decoded; the other clips are not decoded then."""
        self._lock, self._ended = threading.Lock(), threading.Event()
        count = min(threads, _THREADS, total)
        self._threads = [threading.Thread(target=self._work, name="decode ahead", daemon=True) for _ in range(count)]

    def __enter__(self) -> "FramePrefetcher":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._ended.set()
        self.wait()

    def wait(self) -> None:
        """Waits until the threads have ended."""
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        with contextlib.suppress(OSError, AttributeError):  # on Linux a thread can lower its own priority
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 10)
        while not (self._ended.is_set() or self._cache.full or self.problem):
            with self._lock:
                clip = next(self._clips, None)
            if clip is None:
                return
            try:
                self._cache.frames(clip)
            except Exception as problem:  # the run meets the same problem at this clip and reports it
                self.problem = problem
                return
            with self._lock:
                self.done += 1
