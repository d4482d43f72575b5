"""Decodes a clip once for all runs: its sampled frames lie as bytes under the data folder and are mapped, not read."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from jobs.video.cache_eviction import CacheBudget
from jobs.video.decode import Frames, decode_frames

FORMAT = 1
"""Raised whenever decoding or resizing gives other bytes, so that old files are left alone."""


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
    """A clip as the cache needs it: where it lies, what its bytes hash to, what to call it in a sentence."""

    path: Path
    content_hash: str
    name: str

    @property
    def identity(self) -> str:
        """What a cache knows it by: its content, else its place, size and time."""
        if self.content_hash:
            return self.content_hash
        facts = self.path.stat() if self.path.exists() else None
        return f"{self.path}|{facts.st_size}|{facts.st_mtime_ns}" if facts else str(self.path)


class FrameCache:
    """Frames by (clip's content, sampling): made at the first asking, written whole, shared by runs."""

    def __init__(self, folder: Path, sampling: Sampling, limit: int = 0, room: CacheBudget | None = None) -> None:
        """`limit`: bytes that all runs' frames may take together, 0: no limit; `room`: where it is shared."""
        self._folder, self.sampling = folder, sampling
        self._room = room or CacheBudget(limit, folder)
        self.full = False
        """True once the disk or the limit refused a file: new frames are then decoded each time."""

    def frames(self, clip: ClipFile, keep: bool = True) -> Frames:
        """(count, height, width, 3) bytes, mapped read-only. `keep` False: decoded frames are not written.

        Raises:
            BadClip: the clip cannot be decoded.
        """
        path = self.path_of(clip)
        cached = self._open(path)
        if cached is not None:
            self._room.use(path)
            return cached
        how = self.sampling
        decoded = decode_frames(clip.path, how.count, dict(how.size), how.crop, how.fps, how.resample, clip.name)
        if keep and not self.full:
            self.full = not self._room.put(path, decoded.nbytes, lambda file: np.save(file, decoded))
        return decoded

    def fill(self, clips: Sequence[ClipFile], progress: Callable[[int, int], None] | None = None) -> None:
        """Decodes every clip that is not there yet; calls `progress(done, total)` after each."""
        for done, clip in enumerate(clips, 1):
            self.frames(clip)
            if progress:
                progress(done, len(clips))

    def path_of(self, clip: ClipFile) -> Path:
        """The file that holds this clip's frames."""
        key = hashlib.sha256(repr((FORMAT, clip.identity, asdict(self.sampling))).encode()).hexdigest()
        return self._folder / key[:2] / f"{key}.npy"

    def _open(self, path: Path) -> Frames | None:
        try:
            frames = np.load(path, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError, EOFError):
            return None
        good = frames.ndim == 4 and frames.dtype == np.uint8 and frames.shape[0] == self.sampling.count
        return frames if good else None
