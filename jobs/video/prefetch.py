"""Fills the frame cache beside a run: clips are decoded before they are asked for, a few at once."""

import contextlib
import os
import threading
from collections.abc import Sequence
from types import TracebackType

from jobs.video.cache import ClipFile, FrameCache

_THREADS = 4
"""Threads at most: more would take the machine from the steps."""


class FramePrefetcher:
    """Decodes while it is entered. What it had done when it was ended lies in the cache: the next one goes on there."""

    def __init__(self, cache: FrameCache, clips: Sequence[ClipFile], threads: int) -> None:
        """`threads` 0: nothing is decoded ahead."""
        self._cache, self._clips = cache, iter(clips)
        self.total, self.done = len(clips), 0
        """Clips, and how many of them are in the cache by now."""
        self.problem: Exception | None = None
        """Why a clip could not be decoded; the others are left then."""
        self._lock, self._ended = threading.Lock(), threading.Event()
        count = min(threads, _THREADS, len(clips))
        self._threads = [threading.Thread(target=self._work, name="decode ahead", daemon=True) for _ in range(count)]

    def __enter__(self) -> "FramePrefetcher":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._ended.set()
        self.wait()

    def wait(self) -> None:
        """Returns when nothing is being decoded any more."""
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        with contextlib.suppress(OSError, AttributeError):  # on Linux a thread may step back by itself
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 10)
        while not (self._ended.is_set() or self._cache.full or self.problem):
            with self._lock:
                clip = next(self._clips, None)
            if clip is None:
                return
            try:
                self._cache.frames(clip)
            except Exception as problem:  # whatever it is, the run meets it, too: it is told there
                self.problem = problem
                return
            with self._lock:
                self.done += 1
