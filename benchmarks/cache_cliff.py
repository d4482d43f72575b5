"""A feature cache with room for a third of the clips: decodes of an epoch, and the step against one that holds all."""

import json
import shutil
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.rival import EPOCHS, steady, timed, tiny_spec
from benchmarks.target import Target
from benchmarks.tiny_qwen import make_base, make_clips
from jobs.runs.spec import TrainSpec
from jobs.sinks.tensorboard import seconds_of

TARGETS: dict[str, Target] = {
    "decodes_an_epoch": {"max": 200.0},
    "step_times": {"max": 1.6},
    "loss_difference": {"max": 0.0},
}
CLIPS, ROOM = 300, 100


def run() -> dict[str, float]:
    """Clips decoded in an epoch after the first, both median steps and their ratio, and how far the losses differ."""
    folder = Path(tempfile.mkdtemp(prefix="loreel-cliff-"))
    try:
        base, clips = make_base(folder / "base"), make_clips(folder / "clips", CLIPS)
        whole = tiny_spec(folder / "whole", base, clips)
        fits, losses, _ = _measured(whole)
        size = next(Path(whole.cache_dir).rglob("*.safetensors")).stat().st_size
        small = replace(tiny_spec(folder / "small", base, clips), cache_bytes=ROOM * size)
        mixed, same, decodes = _measured(small)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    difference = max(abs(one - other) for one, other in zip(losses, same, strict=True))
    figures = {"fits_ms": fits, "mixed_ms": mixed, "step_times": mixed / fits, "decodes_an_epoch": decodes}
    return {name: round(value, 3) for name, value in figures.items()} | {"loss_difference": difference}


def _measured(spec: TrainSpec) -> tuple[float, list[float], float]:
    """The median step of the last two epochs in milliseconds, the losses, and the decodes of each of those epochs."""
    folder = Path(spec.folder)
    folder.mkdir()
    spec.save(folder / "spec.json")
    timed([sys.executable, "-m", "benchmarks.cache_cliff", str(folder)], folder / "log.txt")
    records = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    steps = [record for record in records if "loss" in record.get("values", {})]
    times = [seconds_of(record["t"]) for record in steps]
    first_epoch_ended = times[len(times) // EPOCHS - 1]
    decoded = [float(line) for line in (folder / "decoded.txt").read_text().splitlines()]
    later = sum(moment > first_epoch_ended for moment in decoded) / (EPOCHS - 1)
    return steady(times)["step_ms"], [record["values"]["loss"] for record in steps], later


def _train(folder: Path) -> int:
    """The trainer, which notes when it decodes a clip."""
    from jobs.trainer.malloc import keep_freed_memory
    from jobs.trainer.silence import silence_libraries

    silence_libraries()
    keep_freed_memory()
    from jobs.trainer.entrypoint import main
    from jobs.video import cache

    decode, moments = cache.decode_sample, list[float]()

    def noted(*args: Any) -> Any:
        moments.append(time.time())
        return decode(*args)

    cache.decode_sample = noted
    code = main(folder / "spec.json")
    (folder / "decoded.txt").write_text("".join(f"{moment}\n" for moment in moments))
    return code


if __name__ == "__main__":
    sys.exit(_train(Path(sys.argv[1])))
