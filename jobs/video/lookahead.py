"""Decodes the clips of the next batches in threads while the current one is trained on."""

import contextlib
import os
import threading
from collections.abc import Iterable
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from types import TracebackType

from jobs.video.cache import ClipFile, FrameCache, TimedFrames

_BATCHES = 3
"""Batches whose decoded clips may wait at the same time: the current one, that of the loader, and the next."""


class DecodeAhead:
    """Decoded frames of clips that were announced, each until it is asked for once."""

    def __init__(self, cache: FrameCache, threads: int) -> None:
        """`threads` 0: a clip is decoded when it is asked for."""
        self._cache, self._threads = cache, threads
        self._pool: ThreadPoolExecutor | None = None
        self._waiting: dict[ClipFile, Future[TimedFrames]] = {}
        self._lock = threading.Lock()
        self._most = 0

    def expect(self, clips: Iterable[ClipFile], keep: bool) -> None:
        """Begins to decode the clips; those that were announced long before and never asked for are dropped.

        Args:
            keep: whether the frame cache keeps what is decoded.
        """
        if not self._threads:
            return
        with self._lock:
            new = [clip for clip in dict.fromkeys(clips) if clip not in self._waiting]
            if not new:
                return
            if self._pool is None:
                self._pool = ThreadPoolExecutor(self._threads, "decode", initializer=_lower_priority)
            for clip in new:
                self._waiting[clip] = self._pool.submit(self._cache.timed_frames, clip, keep)
            self._most = max(self._most, _BATCHES * len(new), 2 * self._threads)
            for clip in list(self._waiting)[: max(0, len(self._waiting) - self._most)]:
                self._waiting.pop(clip).cancel()

    def timed_frames(self, clip: ClipFile, keep: bool) -> TimedFrames:
        """The clip's frames, as `FrameCache.timed_frames` returns them.

        Raises:
            BadClip: the clip cannot be decoded.
        """
        with self._lock:
            decoded = self._waiting.pop(clip, None)
        if decoded is not None:
            with contextlib.suppress(CancelledError):
                return decoded.result()
        return self._cache.timed_frames(clip, keep)

    def __enter__(self) -> "DecodeAhead":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with self._lock:
            self._waiting.clear()
            pool, self._pool, self._threads = self._pool, None, 0
        if pool is not None:
            pool.shutdown(cancel_futures=True)


def _lower_priority() -> None:
    with contextlib.suppress(OSError, AttributeError):  # on Linux a thread can lower its own priority
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 10)
