"""The demo job: its wall time from process start to the written adapter, and its accuracy on validation clips."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.target import Target
from jobs.runs.clip_spec import ClipSpec
from jobs.runs.spec import TrainSpec
from jobs.video.synthetic import MOTIONS, make_demo_dataset
from orchestrator.domain.run_summary import RunSummary
from orchestrator.settings import ROOT

TARGETS: dict[str, Target] = {"wall_s": {"max": 90.0}, "accuracy": {"min": 0.9}}
BASE = ROOT / "orchestrator" / "builtin" / "models" / "videomae-tiny"
SEEDS = (7, 1, 2)
RECIPE: dict[str, Any] = {
    "qlora": {"r": 16, "alpha": 32, "dropout": 0.05, "bits": 4},
    "optim": {"learning_rate": 2e-3, "batch_size": 16, "epochs": 10},
    "output_name": "demo",
}


def run() -> dict[str, float]:
    """`wall_s` is the slowest and `accuracy` the lowest of three seeds; `random_base_accuracy`: untrained weights."""
    folder = Path(tempfile.mkdtemp(prefix="loreel-demo-"))
    try:
        begun = time.monotonic()
        clips = _clips(folder / "clips")
        drawn = time.monotonic() - begun
        runs = [_train(folder / f"seed-{seed}", BASE, clips, seed) for seed in SEEDS]
        _, blind = _train(folder / "random", _random_base(folder / "base"), clips, SEEDS[0])
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    figures = {"wall_s": max(wall for wall, _ in runs), "accuracy": min(reached for _, reached in runs)}
    for seed, (wall, reached) in zip(SEEDS, runs, strict=True):
        figures |= {f"seed_{seed}_wall_s": wall, f"seed_{seed}_accuracy": reached}
    figures |= {"random_base_accuracy": blind, "drawing_240_clips_s": drawn}
    return {name: round(value, 4) for name, value in figures.items()}


def _clips(folder: Path) -> list[ClipSpec]:
    paths = sorted(make_demo_dataset(folder))
    return [
        ClipSpec(number, str(p), p.parent.name, "", "auto", hashlib.sha256(p.read_bytes()).hexdigest(), p.name)
        for number, p in enumerate(paths, 1)
    ]


def _train(folder: Path, base: Path, clips: list[ClipSpec], seed: int) -> tuple[float, float]:
    """Seconds and accuracy of one cold run in a process of its own, its frame cache empty."""
    folder.mkdir(parents=True)
    spec = TrainSpec(
        job_id=1,
        attempt=1,
        name="demo",
        folder=str(folder),
        recipe=RECIPE | {"optim": RECIPE["optim"] | {"seed": seed}},
        task="classification",
        class_names=list(MOTIONS),
        dataset_name="Shapes in motion",
        model_name="VideoMAE tiny",
        model_path=str(base),
        model_revision="",
        family="videomae",
        architecture="VideoMAE",
        clips=clips,
        cache_dir=str(folder / "cache"),
    )
    spec.save(folder / "spec.json")
    begun = time.monotonic()
    subprocess.run(
        [sys.executable, "-m", "jobs.trainer", str(folder / "spec.json")],
        cwd=ROOT,
        env=os.environ | {"HF_HUB_OFFLINE": "1"},
        stdout=subprocess.DEVNULL,
        check=True,
    )
    wall = time.monotonic() - begun
    result = json.loads((folder / "result.json").read_text())
    return wall, RunSummary.from_json(result["summary"]).values["eval_accuracy"]


def _random_base(folder: Path) -> Path:
    """The shipped base's config with weights that learned nothing, made in a process of its own."""
    program = (
        "import sys, torch; from transformers import VideoMAEConfig, VideoMAEForVideoClassification as M; "
        "torch.manual_seed(1); M(VideoMAEConfig.from_pretrained(sys.argv[1])).save_pretrained(sys.argv[2])"
    )
    subprocess.run([sys.executable, "-c", program, str(BASE), str(folder)], check=True, capture_output=True)
    shutil.copyfile(BASE / "preprocessor_config.json", folder / "preprocessor_config.json")
    return folder
