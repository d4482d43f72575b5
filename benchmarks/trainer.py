"""A plain transformers Trainer that decodes in each epoch against Loreel: the shipped VideoMAE in 4 bits, 3 epochs."""

import dataclasses
import json
import shutil
import sys
import tempfile
from pathlib import Path

from benchmarks.rival import EPOCHS, cold_run, steady, timed, tiny_spec
from benchmarks.target import Target
from benchmarks.tiny_qwen import make_clips
from orchestrator.settings import ROOT

TARGETS: dict[str, Target] = {"wall_times": {"min": 2.0}, "step_times": {"min": 2.0}}
BASE = ROOT / "orchestrator" / "builtin" / "models" / "videomae-tiny"
CLIPS, BATCH = 200, 8


def run() -> dict[str, float]:
    """Whole-process wall time and steady step of both; `..._times`: how many times longer the plain one takes."""
    folder = Path(tempfile.mkdtemp(prefix="loreel-trainer-"))
    try:
        made = make_clips(folder / "clips", CLIPS)
        clips = [dataclasses.replace(clip, label=clip.caption.split()[3].strip(",")) for clip in made]
        names = sorted({clip.label for clip in clips})
        plain = folder / "plain"
        plain.mkdir()
        settings = {"base": str(BASE), "out": str(plain / "out"), "batch": BATCH, "epochs": EPOCHS}
        settings["clips"] = [(clip.path, names.index(clip.label)) for clip in clips]
        (plain / "settings.json").write_text(json.dumps(settings))
        program = str(ROOT / "benchmarks" / "plain_trainer.py")
        wall = timed([sys.executable, program, str(plain / "settings.json")], plain / "log.txt")
        theirs = {"wall_s": wall} | steady(json.loads((plain / "times.json").read_text()))
        spec = dataclasses.replace(
            tiny_spec(folder / "ours", BASE, clips),
            recipe={
                "optim": {"learning_rate": 2e-3, "batch_size": BATCH, "epochs": EPOCHS},
                "qlora": {"dropout": 0.0},
                "output_name": "trainer",
            },
            task="classification",
            class_names=names,
            family="videomae",
        )
        ours = cold_run(spec)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    figures = {f"plain_{name}": value for name, value in theirs.items()} | {f"ours_{n}": v for n, v in ours.items()}
    figures |= {"wall_times": theirs["wall_s"] / ours["wall_s"], "step_times": theirs["step_ms"] / ours["step_ms"]}
    return {name: round(value, 3) for name, value in figures.items()}
