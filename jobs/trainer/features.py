"""The cache of vision features: what a frozen vision encoder computes from a clip is computed once for all runs.

A clip whose features are not kept is encoded each time that it is needed, by the same call, so that the losses of a run
do not depend on what is in the cache.
"""

import hashlib
import os
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save

from jobs.families.protocol import Features, VisionEncoder
from jobs.trainer.cache_share import CacheShare, divide_cache
from jobs.video.cache import ClipFile, FrameCache, TimedFrames
from jobs.video.cache_eviction import CacheBudget
from jobs.video.lookahead import DecodeAhead
from orchestrator.domain.clip_facts import READER_VERSION

FORMAT = 1
"""Part of each key: raised when the format of the files changes, so that files of the old format are not read."""


class FeatureCache:
    """Features by (clip's content, encoder, sampling): computed at the first request, written atomically, shared."""

    def __init__(
        self,
        folder: Path,
        encoder: VisionEncoder,
        frames: FrameCache,
        budget: CacheBudget,
        ahead: DecodeAhead | None = None,
        threads: int = 1,
    ) -> None:
        """
        Args:
            ahead: decodes what it is told to expect.
            threads: clips that are encoded at the same time, each by one thread of the processor.
        """
        self._folder, self._encoder, self._frames, self._budget = folder, encoder, frames, budget
        self._key_start = f"({FORMAT!r}, {READER_VERSION!r}, "
        self._key_end = f", {repr(frames.sampling)!r}, {encoder.key!r})"
        self._ahead, self._threads = ahead or DecodeAhead(frames, 0), threads
        self._pool: ThreadPoolExecutor | None = None
        self._lock = threading.Lock()
        self._writable: int | None = None
        """Files that may still be written; None: no limit but that of the budget."""
        self._keeps_frames = False
        self._upcoming: dict[ClipFile, Features] = {}
        self.full = False
        """True once the disk or the limit refused a file."""
        self.encoded = 0
        """How many times a clip was encoded."""

    def prepare(self, clips: Callable[[], Iterable[ClipFile]], processes: int = 1) -> CacheShare | None:
        """Measures one clip, and decides which share of all is kept; None without any clip.

        Args:
            clips: returns all clips of the run, the same in each process.
            processes: processes that divide what is still to be written.

        Raises:
            BadClip: the measured clip cannot be decoded.
        """
        first = next(iter(clips()), None)
        if first is None:
            return None
        count = found = largest = 0
        for clip in clips():
            size = self._size(clip)
            count, found, largest = count + 1, found + bool(size), max(largest, size)
        available, frame_bytes, measured = self._budget.available_bytes(), 0, None
        if not largest:
            decoded = self._frames.timed_frames(first, keep=False)
            measured = self._encode(decoded)
            largest, frame_bytes = len(save(measured)), decoded[0].nbytes
        if count * largest > available and not frame_bytes:
            frame_bytes = self._frames.frames(first, keep=False).nbytes
        share = divide_cache(available, count, found, largest, frame_bytes)
        if found:
            self._use_found(clips(), share.features)
        self._writable = max(0, share.features - found) // processes
        self._keeps_frames = share.frames > 0
        if measured is not None:
            self._write(first, measured)
        return share

    def features(self, clip: ClipFile, upcoming: Sequence[ClipFile] = ()) -> Features:
        """The features of a clip, on the CPU.

        Args:
            upcoming: clips that will be asked for next; where several are encoded at once, some of them are, too.

        Raises:
            BadClip: the clip cannot be decoded.
        """
        if clip in self._upcoming:
            return self._upcoming.pop(clip)
        found = self._read(clip)
        if found is not None:
            return found
        together = [clip, *(other for other in upcoming[: self._threads - 1] if not self._size(other))]
        first, *others = self.of_batch(together)
        self._upcoming = dict(zip(together[1:], others, strict=True))
        return first

    def of_batch(self, clips: Sequence[ClipFile]) -> list[Features]:
        """The features of several clips, in their order.

        Raises:
            BadClip: a clip cannot be decoded.
        """
        found = {clip: self._read(clip) for clip in dict.fromkeys(clips)}
        missing = [clip for clip, features in found.items() if features is None]
        self._ahead.expect(missing, keep=False)
        if self._threads > 1:
            found.update(zip(missing, self._encode_in_threads(missing), strict=True))
        else:
            found.update((clip, self._decode_and_encode(clip)) for clip in missing)
        return [found[clip] or {} for clip in clips]

    def expect(self, clips: Iterable[ClipFile]) -> None:
        """Begins to decode those of the clips that will have to be encoded."""
        self._ahead.expect((clip for clip in clips if not self._size(clip)), keep=False)

    def path_of(self, clip: ClipFile) -> Path:
        """The file that holds this clip's features."""
        return Path(self._name_of(clip))

    def _name_of(self, clip: ClipFile) -> str:
        key = hashlib.sha256(f"{self._key_start}{clip.identity!r}{self._key_end}".encode()).hexdigest()
        return f"{self._folder}/{key[:2]}/{key}.safetensors"

    def __enter__(self) -> "FeatureCache":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def _size(self, clip: ClipFile) -> int:
        """Bytes of the clip's file; 0 without one. A file is complete, because it is written atomically."""
        try:
            return os.stat(self._name_of(clip)).st_size
        except OSError:
            return 0

    def _use_found(self, clips: Iterable[ClipFile], count: int) -> None:
        """Marks as many files as are kept; others lose their room to what is written later."""
        for clip in clips:
            if count <= 0:
                return
            if self._size(clip):
                self._budget.use(self.path_of(clip))
                count -= 1

    def _read(self, clip: ClipFile) -> Features | None:
        path = self.path_of(clip)
        try:
            found = load_file(path)
        except (OSError, SafetensorError, ValueError):
            return None
        self._budget.use_again(path)
        return found

    def _encode_in_threads(self, clips: Sequence[ClipFile]) -> list[Features]:
        threads = torch.get_num_threads()
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self._threads, "encode", initializer=_use_one_thread)
        try:
            return list(self._pool.map(self._decode_and_encode, clips))
        finally:
            torch.set_num_threads(threads)  # the pool's threads changed it for all

    def _decode_and_encode(self, clip: ClipFile) -> Features:
        """The features of a clip; they are kept, or its frames are, where there is room."""
        decoded = self._ahead.timed_frames(clip, keep=False)
        features = self._encode(decoded)
        if not self._write(clip, features) and self._keeps_frames:
            self._frames.keep(clip, decoded)
        return features

    def _encode(self, decoded: TimedFrames) -> Features:
        with self._lock:
            self.encoded += 1
        features = self._encoder.encode(*decoded)
        return {name: tensor.detach().cpu().contiguous() for name, tensor in features.items()}

    def _write(self, clip: ClipFile, features: Features) -> bool:
        """Whether the features are kept."""
        with self._lock:
            if self.full or self._writable == 0:
                return False
            if self._writable is not None:
                self._writable -= 1
        content = save(features)
        written = self._budget.put(self.path_of(clip), len(content), lambda file: file.write(content))
        self.full = self.full or not written
        return written


def _use_one_thread() -> None:
    """Each thread computes alone: all processors are busy with clips of their own."""
    torch.set_num_threads(1)
