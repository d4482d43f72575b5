"""Options of a recipe on the demo clips: the best step against the last, continuing, and classes at 9 to 1.

The clips by which a step was chosen cannot tell whether it is better, so adapters are judged on others: clips that were
neither learned from nor chosen by.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from statistics import fmean
from typing import Any

from benchmarks.demo import BASE, SEEDS
from benchmarks.target import Target
from jobs.runs.clip_spec import ClipSpec
from jobs.runs.spec import TrainSpec
from jobs.video.synthetic import MOTIONS, make_demo_dataset
from orchestrator.settings import ROOT

TARGETS: dict[str, Target] = {
    "best_gain_percent": {"min": 0.0},
    "continued_gain_percent": {"min": 0.1},
    "weights_gain_percent": {"min": 10.0},
}
OPTIM: dict[str, Any] = {"learning_rate": 2e-3, "batch_size": 16}
FEW, OFTEN, RARE = 12, 36, 4
"""Clips of each class: where a run overfits, of the two usual classes, of the two rare ones."""
JUDGED, CHOOSING = 12, 12
"""Clips of each class that judge an adapter, and that choose its step."""
EPOCHS, STEPS, RARE_STEPS = 16, 48, 36


def run() -> dict[str, float]:
    """Differences in points, means over three seeds; and what each side reached."""
    folder = Path(tempfile.mkdtemp(prefix="loreel-methods-"))
    try:
        environment = os.environ | {"HF_HUB_OFFLINE": "1"}
        command = [sys.executable, "-m", "benchmarks.methods", str(folder)]
        subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, check=True)
        reached: dict[str, list[float]] = json.loads((folder / "reached.json").read_text())
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    mean = {name: fmean(values) for name, values in reached.items()}
    figures = {
        "best_gain_percent": 100 * (mean["best_accuracy"] - mean["last_accuracy"]),
        "continued_gain_percent": 100 * (mean["continued_accuracy"] - mean["scratch_accuracy"]),
        "weights_gain_percent": 100 * (mean["weighted_accuracy"] - mean["unweighted_accuracy"]),
        "sampling_gain_percent": 100 * (mean["sampled_accuracy"] - mean["unweighted_accuracy"]),
    }
    return {name: round(value, 4) for name, value in (figures | mean).items()}


class Bench:
    """Runs in one folder, with frames that all of them share."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        paths = sorted(make_demo_dataset(folder / "clips"))
        clips = [
            ClipSpec(number, str(p), p.parent.name, "", "train", hashlib.sha256(p.read_bytes()).hexdigest(), p.name)
            for number, p in enumerate(paths, 1)
        ]
        self.by_class = {motion: [clip for clip in clips if clip.label == motion] for motion in MOTIONS}
        self.judging = self.some(0, JUDGED)
        self.choosing = [replace(clip, split="validation") for clip in self.some(JUDGED, JUDGED + CHOOSING)]

    def some(self, first: int, last: int) -> list[ClipSpec]:
        """Those clips of each class."""
        return [clip for of_class in self.by_class.values() for clip in of_class[first:last]]

    def learning(self, counts: Sequence[int]) -> list[ClipSpec]:
        """So many clips of each class to learn from."""
        first = JUDGED + CHOOSING
        pairs = zip(self.by_class.values(), counts, strict=True)
        return [clip for of_class, count in pairs for clip in of_class[first : first + count]]

    def train(self, name: str, seed: int, clips: list[ClipSpec], adapter: Path | None = None, **recipe: Any) -> Path:
        """Trains and returns the folder of the adapter."""
        from jobs.sinks.recorder import Recorder
        from jobs.trainer.run import train

        folder = self._folder / f"{name}-{seed}"
        folder.mkdir()
        optim = OPTIM | {"seed": seed} | recipe.pop("optim", {})
        spec = TrainSpec(
            job_id=1,
            attempt=1,
            name=name,
            folder=str(folder),
            recipe={"optim": optim, "output_name": name, **recipe},
            task="classification",
            class_names=list(MOTIONS),
            dataset_name="Shapes in motion",
            model_name="VideoMAE tiny",
            model_path=str(BASE),
            model_revision="",
            family="videomae",
            architecture="VideoMAE",
            clips=[*clips, *self.choosing],
            cache_dir=str(self._folder / "cache"),
            adapter_folder=str(adapter) if adapter else "",
            adapter_name="before" if adapter else "",
        )
        spec.save(folder / "spec.json")
        train(spec, Recorder(1, 1, [], quiet=True), lambda: False)
        return folder / "adapter"

    def judge(self, adapter: Path) -> float:
        """The share of the judging clips, as many of each class, that the adapter calls right."""
        import torch
        from peft import PeftModel

        from jobs.families.protocol import Plan, Question
        from jobs.families.registry import read_base, resolve
        from jobs.trainer.clips import clip_file
        from jobs.video.cache import FrameCache
        from orchestrator.domain.recipes import parse_recipe

        base = read_base(BASE)
        family, recipe = resolve(base), parse_recipe({})
        plan = Plan(base, recipe, "classification", class_names=tuple(MOTIONS), inference_only=True)
        model = PeftModel.from_pretrained(family.load(plan), str(adapter)).eval()
        cache = FrameCache(self._folder / "cache" / "frames", family.sampling(base, recipe))
        items = [{"frames": cache.frames(clip_file(clip))} for clip in self.judging]
        with torch.no_grad():
            answers = family.predict(plan, model, items, Question())
        right = [answer.probabilities[0][0] == clip.label for answer, clip in zip(answers, self.judging, strict=True)]
        return fmean(right)


def measure(folder: Path) -> dict[str, list[float]]:
    """What each side reached, by seed."""
    bench = Bench(folder)
    few, half, every = (bench.learning([count] * len(MOTIONS)) for count in (FEW, OFTEN // 2, OFTEN))
    rare = bench.learning([OFTEN, RARE, OFTEN, RARE])
    reached: dict[str, list[float]] = {}

    def note(name: str, adapter: Path) -> None:
        reached.setdefault(f"{name}_accuracy", []).append(bench.judge(adapter))

    for seed in SEEDS:
        length = {"epochs": EPOCHS, "scheduler": "constant"}
        note("last", bench.train("last", seed, few, optim=length, eval={"keep": "last"}))
        note("best", bench.train("best", seed, few, optim=length, eval={"keep": "best", "patience": 6}))
        before = bench.train("before", seed, half, optim={"max_steps": STEPS})
        short = {"max_steps": STEPS // 2}
        note("continued", bench.train("continued", seed, every, before, optim=short))
        note("scratch", bench.train("scratch", seed, every, optim=short))
        note("scratch_all_steps", bench.train("whole", seed, every, optim={"max_steps": STEPS}))
        steps = {"max_steps": RARE_STEPS}
        note("unweighted", bench.train("unweighted", seed, rare, optim=steps))
        note("weighted", bench.train("weighted", seed, rare, optim=steps | {"class_weights": True}))
        note("sampled", bench.train("sampled", seed, rare, optim=steps | {"balanced_sampling": True}))
    return reached


if __name__ == "__main__":
    (Path(sys.argv[1]) / "reached.json").write_text(json.dumps(measure(Path(sys.argv[1]))))
