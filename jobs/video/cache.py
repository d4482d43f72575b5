"""Decodes a clip once for all runs: its sampled frames lie as bytes under the data folder and are mapped, not read."""

import errno
import hashlib
import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from jobs.video.decode import Frames, decode_frames
from jobs.video.room import Room

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


class FrameCache:
    """Frames by (clip's content, sampling): made at the first asking, written whole, shared by runs."""

    def __init__(self, folder: Path, sampling: Sampling, limit: int = 0) -> None:
        """`limit`: bytes that all runs' frames may take together; 0: no limit."""
        self._folder, self._sampling = folder, sampling
        self._room = Room(folder, limit)
        self.full = False
        """True once the disk or the limit refused a file: new frames are then decoded each time."""

    def frames(self, clip: ClipFile) -> Frames:
        """(count, height, width, 3) bytes, mapped read-only.

        Raises:
            BadClip: the clip cannot be decoded.
        """
        path = self.path_of(clip)
        cached = self._open(path)
        if cached is not None:
            self._room.use(path)
            return cached
        how = self._sampling
        decoded = decode_frames(clip.path, how.count, dict(how.size), how.crop, how.fps, how.resample, clip.name)
        self._write(path, decoded)
        return decoded

    def fill(self, clips: Sequence[ClipFile], progress: Callable[[int, int], None] | None = None) -> None:
        """Decodes every clip that is not there yet; calls `progress(done, total)` after each."""
        for done, clip in enumerate(clips, 1):
            self.frames(clip)
            if progress:
                progress(done, len(clips))

    def path_of(self, clip: ClipFile) -> Path:
        """The file that holds this clip's frames."""
        content = clip.content_hash
        if not content:
            facts = clip.path.stat() if clip.path.exists() else None
            content = f"{clip.path}|{facts.st_size}|{facts.st_mtime_ns}" if facts else str(clip.path)
        key = hashlib.sha256(repr((FORMAT, content, asdict(self._sampling))).encode()).hexdigest()
        return self._folder / key[:2] / f"{key}.npy"

    def _open(self, path: Path) -> Frames | None:
        try:
            frames = np.load(path, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError, EOFError):
            return None
        good = frames.ndim == 4 and frames.dtype == np.uint8 and frames.shape[0] == self._sampling.count
        return frames if good else None

    def _write(self, path: Path, frames: Frames) -> None:
        if self.full or not self._room.take(frames.nbytes):
            self.full = True
            return
        part = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}.part")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with part.open("wb") as file:
                np.save(file, frames)
            os.replace(part, path)
        except OSError as error:
            part.unlink(missing_ok=True)
            if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES):
                raise
            self.full = True
