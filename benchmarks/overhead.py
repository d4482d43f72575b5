"""What Loreel's trainer adds to a step: its steady step against a bare loop over the same cached features."""

import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import torch

from benchmarks.rival import BATCH, EPOCHS, cold_run, steady, timed, tiny_spec
from benchmarks.target import Target
from benchmarks.tiny_qwen import make_base, make_clips
from jobs.families.registry import read_base, resolve
from jobs.runs.spec import TrainSpec
from jobs.sinks.recorder import Recorder
from jobs.trainer.data import load_data
from jobs.trainer.learned_texts import read_annotations
from jobs.trainer.malloc import keep_freed_memory
from jobs.trainer.setup import build_plan, load_with_adapters
from jobs.trainer.split import split_clips
from jobs.trainer.stopping import StopSignal
from jobs.trainer.threads import ThreadTuner
from orchestrator.domain.recipes import parse_recipe

TARGETS: dict[str, Target] = {"against_bare": {"max": 1.03}}
CLIPS, ROUNDS = 160, 5


def run() -> dict[str, float]:
    """Milliseconds of a steady step of both, the best of five rounds taken in turn, and their ratio."""
    folder = Path(tempfile.mkdtemp(prefix="loreel-overhead-"))
    ours, bare = [], []
    try:
        base, clips = make_base(folder / "base"), make_clips(folder / "clips", CLIPS)
        for turn in range(ROUNDS):
            spec = tiny_spec(folder / f"ours-{turn}", base, clips)
            ours.append(cold_run(spec)["step_ms"])
            # A process of its own, as the trainer has: threads that wait asleep must be asked for before torch loads.
            bare.append(_bare_run(Path(spec.folder)))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    figures = {"ours_ms": min(ours), "bare_ms": min(bare), "against_bare": min(ours) / min(bare)}
    return {name: round(value, 3) for name, value in figures.items()}


def _bare_run(folder: Path) -> float:
    timed([sys.executable, "-m", "benchmarks.overhead", str(folder)], folder / "bare.log")
    return float((folder / "bare.txt").read_text())


def _bare(spec: TrainSpec) -> float:
    """Forward, backward, clipped AdamW, with threads and a heap like ours; nothing is recorded, saved or asked."""
    recipe = parse_recipe(spec.recipe)
    family = resolve(read_base(Path(spec.model_path)))
    sides = split_clips(spec.clips, recipe.data.validation_share, recipe.optim.seed)
    plan = build_plan(spec, recipe, read_base(Path(spec.model_path)), sides, read_annotations(sides))
    model: Any = load_with_adapters(family, plan).train()
    training = load_data(spec, plan, family, model, sides, Recorder(1, 1, [], quiet=True), StopSignal()).training
    collate = family.collate(plan)
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=recipe.optim.learning_rate)
    times, threads, no_state = [], ThreadTuner(model), (None, None, None)
    threads.on_step_begin(*no_state)  # pyright: ignore[reportArgumentType]
    for _ in range(EPOCHS):
        order = torch.randperm(len(training)).tolist()
        for start in range(0, len(order), BATCH):
            batch = collate([training[index] for index in order[start : start + BATCH]])
            model(**batch).loss.backward()
            torch.nn.utils.clip_grad_norm_(trained, 1.0)
            optimizer.step()
            optimizer.zero_grad()
            threads.on_step_end(*no_state)  # pyright: ignore[reportArgumentType]
            times.append(time.monotonic())
    return steady(times)["step_ms"]


if __name__ == "__main__":
    keep_freed_memory()
    _folder = Path(sys.argv[1])
    (_folder / "bare.txt").write_text(str(_bare(TrainSpec.load(_folder / "spec.json"))))
