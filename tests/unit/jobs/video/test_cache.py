"""A clip is decoded once for all runs; a damaged cache file is made again."""

import os
import resource
import signal
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jobs.video import cache as cache_module
from jobs.video.cache import ClipFile, FrameCache, Sampling
from jobs.video.prefetch import FramePrefetcher
from jobs.video.source import BadClip
from jobs.video.synthetic import demo_frames, write_mp4


def test_decoded_once_and_repaired(tmp_path: Path) -> None:
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


def test_the_least_recently_used_frames_are_evicted(tmp_path: Path) -> None:
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


def test_a_disk_that_fills_up_within_a_file_ends_the_keeping_and_not_the_run(tmp_path: Path) -> None:
    """numpy's own error for a write that was cut short carries no number."""
    path = write_mp4(tmp_path / "a.mp4", demo_frames("zooming", 1))
    cache = FrameCache(tmp_path / "frames", Sampling(8, (("height", 480), ("width", 480)), (480, 480)))
    before, handled = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**20, before[1]))
    try:
        assert cache.frames(ClipFile(path, "a", "a.mp4")).shape == (8, 480, 480, 3)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handled)
    assert cache.full
    assert not [found for found in (tmp_path / "frames").rglob("*") if found.is_file()]


def test_clips_are_decoded_ahead_and_a_build_that_was_ended_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    how, asked = Sampling(8, (("height", 48), ("width", 48)), (48, 48)), list[str]()
    clips = [
        ClipFile(write_mp4(tmp_path / f"{n}.mp4", demo_frames("zooming", n)), f"hash-{n}", f"{n}.mp4") for n in range(6)
    ]
    decode, gate = cache_module.decode_sample, threading.Semaphore(3)

    def slow(path: Path, *args: Any) -> Any:
        gate.acquire()
        asked.append(path.name)
        return decode(path, *args)

    monkeypatch.setattr(cache_module, "decode_sample", slow)
    with FramePrefetcher(FrameCache(tmp_path / "frames", how), clips, len(clips), threads=2) as first:
        while first.done < 3:
            time.sleep(0.01)
        first._ended.set()  # as leaving does; those at the gate are let through
        gate.release(2)
    there = [clip for clip in clips if FrameCache(tmp_path / "frames", how).path_of(clip).exists()]
    assert 3 <= len(there) == len(asked) <= 5
    gate.release(9)
    with FramePrefetcher(FrameCache(tmp_path / "frames", how), clips, len(clips), threads=2) as second:
        second.wait()
    assert (second.done, second.problem) == (6, None)
    assert sorted(asked) == [clip.name for clip in clips], "each once"
    gate.release(9)
    missing = ClipFile(tmp_path / "none.mp4", "none", "none.mp4")
    with FramePrefetcher(FrameCache(tmp_path / "frames", how), [missing, *clips], len(clips) + 1, threads=1) as third:
        third.wait()
    assert isinstance(third.problem, BadClip)
    assert third.done == 0
    with FramePrefetcher(FrameCache(tmp_path / "other", how), clips, len(clips), threads=0) as nothing:
        nothing.wait()
    assert not (tmp_path / "other").exists()
