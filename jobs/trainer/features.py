"""What a frozen eye says of each clip, asked once for all runs: laid beside the frame cache, mapped, not read."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save

from jobs.families.protocol import Eye, Features
from jobs.video.cache import ClipFile, FrameCache
from jobs.video.decode import Frames
from jobs.video.room import Room

FORMAT = 1
"""Raised whenever the same eye would be written otherwise, so that old files are left alone."""
_AHEAD = 4
"""Clips that are decoded while the eye looks at another."""


class FeatureCache:
    """Features by (clip's content, what the eye is, sampling): made at the first asking, written whole, shared."""

    def __init__(self, folder: Path, eye: Eye, frames: FrameCache, room: Room) -> None:
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
    ) -> None:
        """Shows the eye every clip that is not there yet; the next ones are decoded meanwhile."""
        missing = [clip for clip in clips if not self._whole(clip)]
        self.found = done = len(clips) - len(missing)
        for clip, frames in _decoded_ahead(missing, self._frames):
            if should_stop() or self.full:
                return
            self._see(clip, frames)
            self.made += 1
            done += 1
            progress(done, len(clips))

    def path_of(self, clip: ClipFile) -> Path:
        """The file that holds this clip's features."""
        if clip not in self._paths:
            self._paths[clip] = self._path_of(clip)
        return self._paths[clip]

    def _path_of(self, clip: ClipFile) -> Path:
        what = (FORMAT, clip.identity, repr(self._frames.sampling), self._eye.key)
        key = hashlib.sha256(repr(what).encode()).hexdigest()
        return self._folder / key[:2] / f"{key}.safetensors"

    def _whole(self, clip: ClipFile) -> bool:
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
        seen = {name: tensor.detach().cpu().contiguous() for name, tensor in self._eye.see(frames).items()}
        if not self.full:
            content = save(seen)
            self.full = not self._room.put(self.path_of(clip), len(content), lambda file: file.write(content))
        return seen


def _decoded_ahead(clips: Sequence[ClipFile], frames: FrameCache) -> Iterator[tuple[ClipFile, Frames]]:
    """Each clip with its frames, in order; decoding runs beside the eye, since PyAV lets others work."""
    threads = max(1, min(_AHEAD, torch.get_num_threads()))
    with ThreadPoolExecutor(threads) as pool:
        rest = iter(clips)

        def ask(clip: ClipFile) -> tuple[ClipFile, Future[Frames]]:
            return clip, pool.submit(frames.frames, clip, False)

        waiting = [ask(clip) for clip in islice(rest, _AHEAD)]
        try:
            while waiting:
                clip, future = waiting.pop(0)
                waiting += [ask(clip) for clip in islice(rest, 1)]
                yield clip, future.result()
        finally:
            for _, future in waiting:
                future.cancel()
