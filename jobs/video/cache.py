"""The frame cache: a clip is decoded once for all runs; its sampled frames are files that are memory-mapped."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import numpy as np

from jobs.video.cache_eviction import CacheBudget
from jobs.video.decode import decode_sample
from jobs.video.orientation import Frames
from jobs.video.timing import FrameTiming
from orchestrator.domain.annotations import Span
from orchestrator.domain.clip_facts import READER_VERSION

TimedFrames = tuple[Frames, FrameTiming | None]
"""(count, height, width, 3) bytes, and which frames of the clip they are, where the model is told."""


class ClipSampling(Protocol):
    """Which pixels of a clip a model sees."""

    @property
    def count(self) -> int:
        """Frames of a clip, at most."""
        ...

    @property
    def key(self) -> Any:
        """Its part of a cache's key."""
        ...

    def decode(self, clip: "ClipFile") -> TimedFrames:
        """The frames of a clip.

        Raises:
            BadClip: it cannot be decoded, or has too few frames.
        """
        ...

    def is_valid(self, cached: TimedFrames) -> bool:
        """Whether frames from the cache are complete."""
        ...


@dataclass(frozen=True, slots=True)
class Sampling:
    """`count` frames of each clip, resized to `size`, cut to `crop` (height, width); of each of several `views`."""

    count: int
    size: tuple[tuple[str, int], ...]
    crop: tuple[int, int] | None = None
    fps: float | None = None
    resample: int = 2
    views: int = 1
    """Samples of the clip at different places, one after the other."""

    @property
    def key(self) -> Any:
        facts = asdict(self)
        if self.views == 1:
            del facts["views"]  # frames that were cached before there were views stay valid
        return facts

    def decode(self, clip: "ClipFile") -> TimedFrames:
        size = dict(self.size)
        sample = decode_sample(
            clip.path, self.count, size, self.crop, self.fps, self.resample, clip.name, clip.span, self.views
        )
        return sample.frames, None

    def is_valid(self, cached: TimedFrames) -> bool:
        return len(cached[0]) == self.count * self.views


@dataclass(frozen=True, slots=True)
class ClipFile:
    """A clip as the cache needs it: its file, the hash of its bytes, its name in sentences, its part of the film."""

    path: Path
    content_hash: str
    name: str
    span: Span | None = None

    @property
    def identity(self) -> str:
        """Its part of a cache's key: the content hash, else path, size and time of modification."""
        part = f"|{self.span.start_s}-{self.span.end_s}" if self.span else ""
        if self.content_hash:
            return self.content_hash + part
        stat = self.path.stat() if self.path.exists() else None
        return (f"{self.path}|{stat.st_size}|{stat.st_mtime_ns}" if stat else str(self.path)) + part


class FrameCache:
    """Frames by (content of the clip, sampling): decoded at the first request, written atomically, shared by runs."""

    def __init__(self, folder: Path, sampling: ClipSampling, limit: int = 0, budget: CacheBudget | None = None) -> None:
        """
        Args:
            limit: bytes of the frames of all runs together; 0: no limit.
            budget: the limit, where several caches share it.
        """
        self._folder, self.sampling = folder, sampling
        self._budget = budget or CacheBudget(limit, folder)
        self.full = False
        """True once the disk or the limit refused a file: from then on, frames are decoded each time."""

    def frames(self, clip: ClipFile, keep: bool = True) -> Frames:
        """(count, height, width, 3) bytes, mapped read-only.

        Args:
            keep: whether frames that had to be decoded are written to the cache.

        Raises:
            BadClip: the clip cannot be decoded.
        """
        return self.timed_frames(clip, keep)[0]

    def timed_frames(self, clip: ClipFile, keep: bool = True) -> TimedFrames:
        """The same, and which frames of the clip they are where the sampling tells the model."""
        path = self.path_of(clip)
        cached = self._open(path)
        if cached is not None:
            self._budget.use(path)
            return cached
        decoded = self.sampling.decode(clip)
        if keep:
            self.keep(clip, decoded)
        return decoded

    def keep(self, clip: ClipFile, decoded: TimedFrames) -> None:
        """Writes the frames of a clip to the cache, where there is room."""
        path = self.path_of(clip)
        if not self.full and not path.exists():
            self.full = not self._budget.put(path, decoded[0].nbytes, lambda file: _write(file, *decoded))

    def has(self, clip: ClipFile) -> bool:
        """Whether the cache holds the clip's frames."""
        return self.path_of(clip).exists()

    def fill(self, clips: Sequence[ClipFile], progress: Callable[[int, int], None] | None = None) -> None:
        """Decodes every clip that is not cached yet; calls `progress(done, total)` after each."""
        for done, clip in enumerate(clips, 1):
            self.frames(clip)
            if progress:
                progress(done, len(clips))

    def path_of(self, clip: ClipFile) -> Path:
        """The file that holds this clip's frames."""
        key = hashlib.sha256(repr((READER_VERSION, clip.identity, self.sampling.key)).encode()).hexdigest()
        return self._folder / key[:2] / f"{key}.npy"

    def _open(self, path: Path) -> TimedFrames | None:
        try:
            frames = np.load(path, mmap_mode="r", allow_pickle=False)
            timing = _read_timing(path, frames)
        except (OSError, ValueError, EOFError, KeyError, TypeError):
            return None
        valid = frames.ndim == 4 and frames.dtype == np.uint8 and self.sampling.is_valid((frames, timing))
        return (frames, timing) if valid else None


def _write(file: BinaryIO, frames: Frames, timing: FrameTiming | None) -> None:
    """The frames in numpy's format, and behind them the timing, which readers of that format ignore."""
    np.save(file, frames)
    if timing is not None:
        file.write(timing.to_bytes())


def _read_timing(path: Path, frames: np.memmap) -> FrameTiming | None:
    """What `_write` wrote behind the frames."""
    with path.open("rb") as file:
        file.seek(frames.offset + frames.nbytes)
        rest = file.read()
    return FrameTiming.from_bytes(rest) if rest else None
