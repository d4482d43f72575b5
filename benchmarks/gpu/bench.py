"""On a GPU: clips/s and peak memory of ours against a plain Trainer with bitsandbytes, Qwen2.5-VL-3B and VideoMAE-base.

Random weights in their shapes, frames decoded beforehand. Needs torch, transformers, peft, accelerate, bitsandbytes,
pydantic, sqlmodel and redis; PyAV only where it is installed anyway. LOREEL_BENCH_LIGER=1 switches Liger's kernels on.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from typing import Any

from benchmarks.target import Target, Unavailable

TARGETS: dict[str, Target] = {
    "qwen2_5_vl_8_times": {"min": 2.0},
    "qwen2_5_vl_16_times": {"min": 2.0},
    "qwen2_5_vl_8_memory_times": {"max": 1.0},
    "qwen2_5_vl_16_memory_times": {"max": 1.0},
}
ROOT = Path(__file__).resolve().parents[2]


def run() -> dict[str, float]:
    """Clips a second and GB of both sides; `..._times`: ours over the plain one's.

    Raises:
        Unavailable: there is no GPU.
    """
    import torch

    from benchmarks.gpu.shapes import WORKS

    if not torch.cuda.is_available():
        raise Unavailable("This bench needs an NVIDIA GPU, and there is none here: nothing was measured.")
    print(torch.cuda.get_device_name(0), flush=True)
    return compare(WORKS, "cuda:0")


def compare(works: Sequence[Any], device: str) -> dict[str, float]:
    """Measures both sides of each work one after the other, each in a process of its own."""
    figures: dict[str, float] = {}
    for work in works:
        folder = Path(tempfile.mkdtemp(prefix="loreel-gpu-"))
        try:
            figures |= _measure(work, device, folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        print(json.dumps(figures), flush=True)
    return figures


def _measure(work: Any, device: str, folder: Path) -> dict[str, float]:
    from benchmarks.gpu.shapes import make_base, make_frames

    base, frames = make_base(work, folder / "base", device), make_frames(work, folder / "frames")
    if device != "cpu":
        _free_gpu_memory()
    settings = {"work": asdict(work), "base": str(base), "frames": [str(path) for path in frames], "device": device}
    sides = {side: _side(side, folder / side, settings) for side in ("plain", "ours")}
    name = f"{work.family}_{work.frames}"
    figures: dict[str, float] = {}
    for side, measured in sides.items():
        figures[f"{name}_{side}_clips_per_s"] = round(work.batch / measured["step_s"], 2)
        figures[f"{name}_{side}_gb"] = round(measured["peak_bytes"] / 1e9, 2)
        figures[f"{name}_{side}_wall_s"] = round(measured["wall_s"], 1)
        figures[f"{name}_{side}_loss"] = round(measured["loss"], 4)
    plain, ours = sides["plain"], sides["ours"]
    figures[f"{name}_times"] = round(plain["step_s"] / ours["step_s"], 2)
    figures[f"{name}_wall_times"] = round(plain["wall_s"] / ours["wall_s"], 2)
    figures[f"{name}_memory_times"] = round(ours["peak_bytes"] / plain["peak_bytes"], 2)
    return figures


def _side(side: str, folder: Path, settings: dict[str, Any]) -> dict[str, float]:
    """One side's result.json, with the median step of the last two epochs."""
    folder.mkdir()
    path, log = folder / "settings.json", folder / "log.txt"
    liger = os.environ.get("LOREEL_BENCH_LIGER") == "1" and settings["work"]["family"] != "videomae"
    path.write_text(json.dumps(settings | {"out": str(folder / "out"), "liger": liger}))
    env = os.environ | {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
    with log.open("wb") as out:
        command = [sys.executable, "-m", f"benchmarks.gpu.{side}", str(path)]
        done = subprocess.run(command, cwd=ROOT, env=env, stdout=out, stderr=out, check=False)
    if done.returncode:
        raise RuntimeError(f"{side} ended with {done.returncode}:\n{log.read_text(errors='replace')[-3000:]}")
    result = json.loads((folder / "result.json").read_text())
    gaps = [after - before for before, after in pairwise(result.pop("times"))]
    return result | {"step_s": statistics.median(gaps[len(gaps) // settings["work"]["epochs"] :])}


def _free_gpu_memory() -> None:
    """Gives back the GPU memory that making the base took, before the trainers need it."""
    import gc

    import torch

    gc.collect()
    torch.cuda.empty_cache()
