"""Our trainer in a process of its own: argument, the settings as JSON; what it took is written next to them."""

import hashlib
import json
import shutil
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.gpu.bare import without_av

BARE = without_av()

from benchmarks.gpu.result import write_result  # noqa: E402
from benchmarks.gpu.shapes import Work, caption_of  # noqa: E402 (PyAV's place must be taken first)
from jobs.families.registry import read_base, resolve  # noqa: E402
from jobs.runs.clip_spec import ClipSpec  # noqa: E402
from jobs.runs.spec import TrainSpec  # noqa: E402
from jobs.sinks.jsonl import JsonlSink  # noqa: E402
from jobs.sinks.recorder import Recorder  # noqa: E402
from jobs.sinks.tensorboard import seconds_of  # noqa: E402
from jobs.trainer import run  # noqa: E402
from jobs.trainer.clips import clip_file  # noqa: E402
from jobs.video.cache import FrameCache  # noqa: E402
from orchestrator.domain.recipes import parse_recipe  # noqa: E402


def spec_of(work: Work, settings: dict[str, Any]) -> TrainSpec:
    """The run, its frames already in the cache."""
    folder = Path(settings["out"])
    folder.mkdir(parents=True)
    llm = work.family != "videomae"
    names = [] if llm else ["a", "b", "c", "d"]
    clips = []
    for number, path in enumerate(settings["frames"]):
        digest = hashlib.sha256(Path(path).name.encode()).hexdigest()
        label, caption = ("", caption_of(number)) if llm else (names[number % 4], "")
        clips.append(ClipSpec(number + 1, path, label, caption, "train", digest, Path(path).name))
    recipe: dict[str, Any] = {
        "qlora": {"dropout": 0.0},
        "optim": {"learning_rate": 1e-4, "batch_size": work.batch, "epochs": work.epochs, "liger": settings["liger"]},
        "data": {"frames": work.frames, "size": work.edge, "frame_shape": "square"} if llm else {},
        "output_name": "gpu",
    }
    base = read_base(Path(settings["base"]))
    cache = FrameCache(folder / "cache" / "frames", resolve(base).sampling(base, parse_recipe(recipe)))
    for clip in clips:
        cached = cache.path_of(clip_file(clip))
        cached.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(clip.path, cached)
    return TrainSpec(
        job_id=1,
        attempt=1,
        name="gpu",
        folder=str(folder),
        recipe=recipe,
        task="captioning" if llm else "classification",
        class_names=names,
        dataset_name="Noise",
        model_name=work.family,
        model_path=settings["base"],
        model_revision="",
        family=work.family,
        architecture=work.family,
        clips=clips,
        cache_dir=str(folder / "cache"),
    )


def main() -> None:
    settings = json.loads(Path(sys.argv[1]).read_text())
    work = Work(**settings["work"])
    spec = spec_of(work, settings)
    if BARE:
        run.export = lambda *_: Path()  # the card names PyAV's version
    metrics = Path(spec.folder) / "metrics.jsonl"
    begun = time.monotonic()
    run.train(spec, Recorder(1, 1, [JsonlSink(metrics)]), lambda: False)
    wall = time.monotonic() - begun
    rows = [row for row in map(json.loads, metrics.read_text().splitlines()) if "loss" in row.get("values", {})]
    write_result(sys.argv[1], [seconds_of(row["t"]) for row in rows], rows[-1]["values"]["loss"], wall)


if __name__ == "__main__":
    main()
