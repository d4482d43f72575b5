"""The frame cache: a clip is decoded once for all runs; its sampled frames are files that are memory-mapped."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from jobs.video.cache_eviction import CacheBudget
from jobs.video.decode import decode_frames
from jobs.video.orientation import Frames
from orchestrator.domain.annotations import Span
from orchestrator.domain.clip_facts import READER_VERSION


@dataclass(frozen=True, slots=True)
class Sampling:
    """Which pixels of a clip a model sees: `count` frames, resized to `size`, cut to `crop` (height, width)."""

    count: int
    size: tuple[tuple[str, int], ...]
    crop: tuple[int, int] | None = None
    fps: float | None = None
    resample: int = 2


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

    def __init__(self, folder: Path, sampling: Sampling, limit: int = 0, budget: CacheBudget | None = None) -> None:
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
        path = self.path_of(clip)
        cached = self._open(path)
        if cached is not None:
            self._budget.use(path)
            return cached
        sampling = self.sampling
        decoded = decode_frames(
            clip.path,
            sampling.count,
            dict(sampling.size),
            sampling.crop,
            sampling.fps,
            sampling.resample,
            clip.name,
            clip.span,
        )
        if keep:
            self.keep(clip, decoded)
        return decoded

    def keep(self, clip: ClipFile, frames: Frames) -> None:
        """Writes the frames of a clip to the cache, where there is room."""
        path = self.path_of(clip)
        if not self.full and not path.exists():
            self.full = not self._budget.put(path, frames.nbytes, lambda file: np.save(file, frames))

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
        key = hashlib.sha256(repr((READER_VERSION, clip.identity, asdict(self.sampling))).encode()).hexdigest()
        return self._folder / key[:2] / f"{key}.npy"

    def _open(self, path: Path) -> Frames | None:
        try:
            frames = np.load(path, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError, EOFError):
            return None
        valid = frames.ndim == 4 and frames.dtype == np.uint8 and frames.shape[0] == self.sampling.count
        return frames if valid else None
