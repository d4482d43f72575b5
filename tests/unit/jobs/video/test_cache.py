"""A clip is decoded once for all runs; a damaged cache file is made again."""

import os
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


def test_the_longest_unused_frames_make_room(tmp_path: Path) -> None:
    how = Sampling(8, (("height", 48), ("width", 48)), (48, 48))
    clips = [
        ClipFile(write_mp4(tmp_path / f"{n}.mp4", demo_frames("zooming", n)), f"hash-{n}", f"{n}.mp4") for n in range(5)
    ]
    size = 8 * 48 * 48 * 3
    earlier = FrameCache(tmp_path / "frames", how)
    for age, clip in enumerate(clips[:3]):
        earlier.frames(clip)
        os.utime(earlier.path_of(clip), (1000.0 + age, 1000.0 + age))
    cache = FrameCache(tmp_path / "frames", how, limit=round(3.7 * size))
    cache.frames(clips[0])  # used again: now it is not the oldest any more
    cache.frames(clips[3])
    kept = [cache.path_of(clip).exists() for clip in clips]
    assert kept == [True, False, True, True, False]
    # A run never takes away what it uses itself: what does not fit is decoded each time.
    small = FrameCache(tmp_path / "own", how, limit=round(2.5 * size))
    for clip in clips[:4]:
        assert small.frames(clip).shape == (8, 48, 48, 3)
    assert [small.path_of(clip).exists() for clip in clips[:4]] == [True, True, False, False]
    assert small.full
