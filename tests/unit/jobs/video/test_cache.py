"""A clip is decoded once for all runs; a damaged cache file is made again."""

from pathlib import Path

import numpy as np

from jobs.video.cache import ClipFile, FrameCache, Sampling
from jobs.video.synthetic import demo_frames, write_mp4


def test_decoded_once_and_mended(tmp_path: Path) -> None:
    path = write_mp4(tmp_path / "a.mp4", demo_frames("zooming", 1))
    clip = ClipFile(path, "hash-of-a", "a.mp4")
    how = Sampling(8, (("height", 48), ("width", 48)), (48, 48))
    seen: list[tuple[int, int]] = []
    cache = FrameCache(tmp_path / "frames", how)
    cache.fill([clip], lambda done, total: seen.append((done, total)))
    assert seen == [(1, 1)]
    first = np.array(cache.frames(clip))
    path.rename(tmp_path / "away.mp4")
    again = FrameCache(tmp_path / "frames", how).frames(clip)
    assert isinstance(again, np.memmap)
    assert np.array_equal(again, first)
    assert not list((tmp_path / "frames").rglob("*.part"))
    (tmp_path / "away.mp4").rename(path)
    cache.path_of(clip).write_bytes(b"\x93NUMPY half")
    assert np.array_equal(cache.frames(clip), first)
    other = FrameCache(tmp_path / "frames", Sampling(4, how.size, how.crop))
    assert other.path_of(clip) != cache.path_of(clip)
