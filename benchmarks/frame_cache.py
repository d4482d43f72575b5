"""Building the frame cache against sequential PyAV decoding of the same clips, one core each."""

import shutil
import tempfile
import time
from pathlib import Path

import av
import torch

from benchmarks.target import Target
from benchmarks.tiny_qwen import EDGE, FRAMES, make_clips
from jobs.trainer.clips import clip_file
from jobs.video.cache import FrameCache, Sampling

TARGETS: dict[str, Target] = {"against_raw": {"max": 1.15}}
CLIPS, ROUNDS = 200, 3


def run() -> dict[str, float]:
    """Milliseconds a clip, the best of three rounds taken in turn, and their ratio."""
    torch.set_num_threads(1)
    folder = Path(tempfile.mkdtemp(prefix="loreel-frames-"))
    how = Sampling(FRAMES, (("height", EDGE), ("width", EDGE)), resample=3)
    try:
        clips = [clip_file(clip) for clip in make_clips(folder / "clips", CLIPS)]
        raw, built = [], []
        for turn in range(ROUNDS):
            raw.append(_raw([clip.path for clip in clips]))
            begun = time.perf_counter()
            FrameCache(folder / f"frames-{turn}", how).fill(clips)
            built.append(time.perf_counter() - begun)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    figures = {"build_ms": min(built) / CLIPS * 1000, "raw_ms": min(raw) / CLIPS * 1000}
    return {name: round(value, 3) for name, value in (figures | {"against_raw": min(built) / min(raw)}).items()}


def _raw(paths: list[Path]) -> float:
    begun = time.perf_counter()
    for path in paths:
        with av.open(str(path)) as container:
            container.streams.video[0].thread_type = "NONE"
            for frame in container.decode(video=0):
                frame.to_ndarray(format="rgb24")
    return time.perf_counter() - begun
