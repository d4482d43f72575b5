"""What a frozen eye says of each clip, asked once for all runs: laid beside the frame cache, mapped, not read."""

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
from jobs.video.decode import Frames

T = TypeVar("T")
FORMAT = 1
"""Raised whenever the same eye would be written otherwise, so that old files are left alone."""
_AHEAD = 4
"""Clips that are decoded, or looked at, before they are asked for."""


class FeatureCache:
    """Features by (clip's content, what the eye is, sampling): made at the first asking, written whole, shared."""

    def __init__(self, folder: Path, eye: VisionEncoder, frames: FrameCache, room: CacheBudget) -> None:
        self._folder, self._eye, self._frames, self._room = folder, eye, frames, room
        self._paths: dict[ClipFile, Path] = {}
        self.full = False
        """True once the disk or the limit refused a file."""
        self.found, self.made = 0, 0
        """Clips that `fill` found in the cache, and those it had to show to the eye."""

    def features(self, clip: ClipFile) -> Features:
        """The eye's tensors, on the CPU.

        Raises:
            BadClip: the clip cannot be decoded.
        """
        return self._read(clip) or self._see(clip, self._frames.frames(clip, keep=False))

    def fill(
        self,
        clips: Sequence[ClipFile],
        progress: Callable[[int, int], None] = lambda done, total: None,
        should_stop: Callable[[], bool] = lambda: False,
        eyes: int = 1,
    ) -> None:
        """Shows the eye every clip that is not there yet; the next ones are decoded meanwhile.

        Args:
            eyes: how many clips are looked at at once, each by one thread of the processor.
        """
        missing = [clip for clip in clips if not self._is_complete(clip)]
        self.found = done = len(clips) - len(missing)
        for seen in self._seen(missing, eyes):
            if should_stop() or self.full:
                return
            seen()
            self.made += 1
            done += 1
            progress(done, len(clips))

    def _seen(self, clips: list[ClipFile], eyes: int) -> Iterator[Callable[[], object]]:
        """One call a clip, in order, that returns once the eye has looked at it."""
        if eyes > 1:
            see = _ahead(lambda clip: self._see(clip, self._frames.frames(clip, keep=False)), clips, eyes, _alone)
            yield from (future.result for _, future in see)
        else:
            decoded = _ahead(lambda clip: self._frames.frames(clip, keep=False), clips, torch.get_num_threads())
            yield from (lambda clip=clip, future=future: self._see(clip, future.result()) for clip, future in decoded)

    def path_of(self, clip: ClipFile) -> Path:
        """The file that holds this clip's features."""
        if clip not in self._paths:
            self._paths[clip] = self._path_of(clip)
        return self._paths[clip]

    def _path_of(self, clip: ClipFile) -> Path:
        what = (FORMAT, clip.identity, repr(self._frames.sampling), self._eye.key)
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
        self._room.use(path)
        return found

    def _see(self, clip: ClipFile, frames: Frames) -> Features:
        seen = {name: tensor.detach().cpu().contiguous() for name, tensor in self._eye.encode(frames).items()}
        if not self.full:
            content = save(seen)
            self.full = not self._room.put(self.path_of(clip), len(content), lambda file: file.write(content))
        return seen


def _alone() -> None:
    """Each thread computes by itself: where all look, none is left to help."""
    torch.set_num_threads(1)


def _ahead(
    work: Callable[[ClipFile], T], clips: Sequence[ClipFile], threads: int, begin: Callable[[], None] | None = None
) -> Iterator[tuple[ClipFile, Future[T]]]:
    """Each clip with what comes of it, in order, a few at work before they are asked for: PyAV lets others work."""
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
