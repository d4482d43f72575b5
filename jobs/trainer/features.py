"""The cache of vision features: what a frozen vision encoder computes from a clip is computed once for all runs."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import TypeVar

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save

from jobs.families.protocol import Features, VisionEncoder
from jobs.video.cache import ClipFile, FrameCache
from jobs.video.cache_eviction import CacheBudget
from jobs.video.orientation import Frames
from orchestrator.domain.clip_facts import READER_VERSION

T = TypeVar("T")
FORMAT = 1
"""Part of each key: raised when the format of the files changes, so that files of the old format are not read."""
_AHEAD = 4
"""Clips that are decoded, or encoded, before they are needed."""


class FeatureCache:
    """Features by (clip's content, encoder, sampling): computed at the first request, written atomically, shared."""

    def __init__(self, folder: Path, encoder: VisionEncoder, frames: FrameCache, budget: CacheBudget) -> None:
        self._folder, self._encoder, self._frames, self._budget = folder, encoder, frames, budget
        self._paths: dict[ClipFile, Path] = {}
        self.full = False
        """True once the disk or the limit refused a file."""
        self.found, self.encoded = 0, 0
        """Clips that `fill` found in the cache, and clips that it had to encode."""

    def features(self, clip: ClipFile) -> Features:
        """The features of a clip, on the CPU.

        Raises:
            BadClip: the clip cannot be decoded.
        """
        return self._read(clip) or self._encode(clip, self._frames.frames(clip, keep=False))

    def fill(
        self,
        clips: Sequence[ClipFile],
        progress: Callable[[int, int], None] = lambda done, total: None,
        should_stop: Callable[[], bool] = lambda: False,
        threads: int = 1,
    ) -> None:
        """Encodes every clip that is not cached yet; the next ones are decoded meanwhile.

        Args:
            threads: clips that are encoded at the same time, each by one thread of the processor.
        """
        missing = [clip for clip in clips if not self._is_complete(clip)]
        self.found = done = len(clips) - len(missing)
        for finish in self._encodings(missing, threads):
            if should_stop() or self.full:
                return
            finish()
            self.encoded += 1
            done += 1
            progress(done, len(clips))

    def _encodings(self, clips: list[ClipFile], threads: int) -> Iterator[Callable[[], object]]:
        """A call for each clip, in order, that returns once it is encoded."""
        if threads > 1:
            encodings = _ahead(
                lambda clip: self._encode(clip, self._frames.frames(clip, keep=False)), clips, threads, _use_one_thread
            )
            yield from (future.result for _, future in encodings)
        else:
            decoded = _ahead(lambda clip: self._frames.frames(clip, keep=False), clips, torch.get_num_threads())
            yield from (
                lambda clip=clip, future=future: self._encode(clip, future.result()) for clip, future in decoded
            )

    def path_of(self, clip: ClipFile) -> Path:
        """The file that holds this clip's features."""
        if clip not in self._paths:
            self._paths[clip] = self._path_of(clip)
        return self._paths[clip]

    def _path_of(self, clip: ClipFile) -> Path:
        what = (FORMAT, READER_VERSION, clip.identity, repr(self._frames.sampling), self._encoder.key)
        key = hashlib.sha256(repr(what).encode()).hexdigest()
        return self._folder / key[:2] / f"{key}.safetensors"

    def _is_complete(self, clip: ClipFile) -> bool:
        return self._read(clip) is not None

    def _read(self, clip: ClipFile) -> Features | None:
        path = self.path_of(clip)
        try:
            found = load_file(path)
        except (OSError, SafetensorError, ValueError):
            return None
        self._budget.use(path)
        return found

    def _encode(self, clip: ClipFile, frames: Frames) -> Features:
        features = {name: tensor.detach().cpu().contiguous() for name, tensor in self._encoder.encode(frames).items()}
        if not self.full:
            content = save(features)
            self.full = not self._budget.put(self.path_of(clip), len(content), lambda file: file.write(content))
        return features


def _use_one_thread() -> None:
    """Each thread computes alone: all processors are busy with clips of their own."""
    torch.set_num_threads(1)


def _ahead(
    work: Callable[[ClipFile], T], clips: Sequence[ClipFile], threads: int, begin: Callable[[], None] | None = None
) -> Iterator[tuple[ClipFile, Future[T]]]:
    """Each clip with its result, in order; a few are computed ahead, since PyAV releases the interpreter's lock."""
    with ThreadPoolExecutor(max(1, min(_AHEAD, threads)), initializer=begin) as pool:
        rest = iter(clips)
        waiting = [(clip, pool.submit(work, clip)) for clip in islice(rest, _AHEAD)]
        try:
            while waiting:
                now = waiting.pop(0)
                waiting += [(clip, pool.submit(work, clip)) for clip in islice(rest, 1)]
                yield now
        finally:
            for _, future in waiting:
                future.cancel()
