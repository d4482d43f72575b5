"""LLaMA-Factory in a virtual environment of its own, outside the checkout, and the same training by us."""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import Any

from benchmarks.tiny_qwen import EDGE, FRAMES, make_base, make_clips
from jobs.runs.clip_spec import ClipSpec
from jobs.runs.spec import TrainSpec
from jobs.sinks.tensorboard import seconds_of
from orchestrator.settings import ROOT

NAME, VERSION, VISION = "llamafactory", "0.9.5", "0.28.0"
"""The rival, its newest release that runs with our torch, and the torchvision that goes with it."""
CLIPS, EPOCHS, BATCH, RATE = 200, 3, 4, 1e-3
_LORA = {"r": 16, "alpha": 32}
_NAMED = """# The wheels of torchvision and torchaudio are built for GPU builds of torch. With a CPU build the
# operators of the one are named before it is imported, and the other, which only sound needs, stays out.
import sys

if sys.argv and "pip" not in sys.argv[0]:
    import types
    from importlib.machinery import ModuleSpec

    import torch

    if not torch.version.cuda:
        _lib = torch.library.Library("torchvision", "DEF")
        for _name in ("nms", "qnms"):
            _lib.define(_name + "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        sys.modules["torchaudio"] = types.ModuleType("torchaudio")
        sys.modules["torchaudio"].__spec__ = ModuleSpec("torchaudio", None)
"""


def rival_python() -> Path:
    """The rival's Python, installed at the first asking into LOREEL_RIVALS_DIR (or the user's cache folder).

    Raises:
        RuntimeError: its packages cannot be had here.
    """
    home = Path(os.environ.get("LOREEL_RIVALS_DIR") or Path.home() / ".cache" / "loreel" / "rivals")
    python = home / NAME / "bin" / "python"
    if _version_there(python) == VERSION:
        return python
    subprocess.run([sys.executable, "-m", "venv", str(home / NAME)], check=True)
    wanted = [f"torch=={version('torch')}", f"torchvision=={VISION}"]
    index = os.environ.get("LOREEL_TORCH_INDEX")
    more = ["--extra-index-url", index] if index else []
    pip = [str(python), "-m", "pip", "install", "-q", *more]
    for packages in (
        ["--no-deps", *wanted],
        [*wanted, f"{NAME}=={VERSION}", f"bitsandbytes=={version('bitsandbytes')}"],
    ):
        done = subprocess.run([*pip, *packages], capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{NAME} {VERSION} cannot be installed here: {done.stderr[-800:]}")
    packages = next((home / NAME / "lib").glob("python*/site-packages"))
    (packages / "sitecustomize.py").write_text(_NAMED)
    return python


def compare(vision: bool) -> dict[str, float]:
    """Whole-process wall time and the steady step of both; `vision`: the vision tower gets adapters, too."""
    python = rival_python()
    folder = Path(tempfile.mkdtemp(prefix="loreel-engine-"))
    try:
        base, clips = make_base(folder / "base"), make_clips(folder / "clips", CLIPS)
        theirs = _rival(python, folder / "rival", base, clips, vision)
        ours = cold_run(tiny_spec(folder / "ours", base, clips, vision))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    figures = {f"rival_{name}": value for name, value in theirs.items()} | {f"ours_{n}": v for n, v in ours.items()}
    figures |= {"wall_times": theirs["wall_s"] / ours["wall_s"], "step_times": theirs["step_ms"] / ours["step_ms"]}
    return {name: round(value, 3) for name, value in figures.items()}


def tiny_spec(folder: Path, base: Path, clips: list[ClipSpec], vision: bool = False) -> TrainSpec:
    """The run that is measured: every clip is learned from, nothing is judged."""
    return TrainSpec(
        job_id=1,
        attempt=1,
        name="engine",
        folder=str(folder),
        recipe={
            "qlora": _LORA | {"dropout": 0.0, "bits": 4, "vision": vision},
            "optim": {"learning_rate": RATE, "batch_size": BATCH, "epochs": EPOCHS, "seed": 7},
            "data": {"frames": FRAMES, "size": EDGE},
            "output_name": "engine",
        },
        task="captioning",
        class_names=[],
        dataset_name="Motions",
        model_name="Tiny Qwen2-VL",
        model_path=str(base),
        model_revision="",
        family="qwen2_vl",
        architecture="Qwen2-VL",
        clips=clips,
        cache_dir=str(folder / "cache"),
    )


def cold_run(spec: TrainSpec) -> dict[str, float]:
    """A run in a process of its own, its caches empty."""
    folder = Path(spec.folder)
    folder.mkdir()
    spec.save(folder / "spec.json")
    wall = timed([sys.executable, "-m", "jobs.trainer", str(folder / "spec.json")], folder / "log.txt")
    records = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    steps = [r for r in records if "loss" in r.get("values", {})]
    return {"wall_s": wall, "loss": steps[-1]["values"]["loss"]} | steady([seconds_of(r["t"]) for r in steps])


def _rival(python: Path, folder: Path, base: Path, clips: list[ClipSpec], vision: bool) -> dict[str, float]:
    """The same by the rival's trainer: its settings as its documentation names them."""
    folder.mkdir()
    rows = [
        {
            "messages": [
                {"role": "user", "content": "<video>Describe the video."},
                {"role": "assistant", "content": clip.caption},
            ],
            "videos": [clip.path],
        }
        for clip in clips
    ]
    tags = {"role_tag": "role", "content_tag": "content", "user_tag": "user", "assistant_tag": "assistant"}
    columns = {"messages": "messages", "videos": "videos"}
    named = {"motions": {"file_name": "motions.json", "formatting": "sharegpt", "columns": columns, "tags": tags}}
    (folder / "motions.json").write_text(json.dumps(rows))
    (folder / "dataset_info.json").write_text(json.dumps(named))
    settings: dict[str, Any] = {
        "stage": "sft", "do_train": True, "model_name_or_path": str(base), "template": "qwen2_vl",
        "dataset": "motions", "dataset_dir": str(folder), "output_dir": str(folder / "out"), "cutoff_len": 2048,
        "finetuning_type": "lora", "lora_rank": _LORA["r"], "lora_alpha": _LORA["alpha"], "lora_target": "all",
        "quantization_bit": 4, "quantization_method": "bnb", "double_quantization": True,
        "freeze_vision_tower": not vision, "freeze_multi_modal_projector": True,
        "per_device_train_batch_size": BATCH, "gradient_accumulation_steps": 1, "num_train_epochs": EPOCHS,
        "learning_rate": RATE, "lr_scheduler_type": "cosine", "warmup_ratio": 0.05, "logging_steps": 1,
        "save_strategy": "epoch", "report_to": "none", "overwrite_cache": True, "preprocessing_num_workers": 1,
        "video_max_pixels": EDGE * EDGE, "video_min_pixels": 784, "video_fps": 8.0, "video_maxlen": FRAMES,
        "disable_gradient_checkpointing": True, "use_cpu": True, "seed": 7, "flash_attn": "sdpa",
    }  # fmt: skip
    (folder / "settings.json").write_text(json.dumps(settings))
    program = [str(python), str(ROOT / "benchmarks" / "rival_program.py")]
    wall = timed([*program, str(folder / "settings.json"), str(folder / "times.json")], folder / "log.txt")
    state = json.loads((folder / "out" / "trainer_state.json").read_text())
    loss = [row["loss"] for row in state["log_history"] if "loss" in row][-1]
    return {"wall_s": wall, "loss": loss} | steady(json.loads((folder / "times.json").read_text()))


def steady(times: Sequence[float]) -> dict[str, float]:
    """The median step of the last two epochs, and how many steps there were."""
    gaps = [after - before for before, after in pairwise(times)]
    return {"step_ms": statistics.median(gaps[len(gaps) // EPOCHS :]) * 1000, "steps": float(len(times))}


def timed(command: list[str], log: Path) -> float:
    """Seconds of a whole process.

    Raises:
        RuntimeError: it failed; the end of what it wrote.
    """
    env = {key: value for key, value in os.environ.items() if not key.startswith("LOREEL_")}
    env |= {"HF_HUB_OFFLINE": "1", "OMP_WAIT_POLICY": "PASSIVE", "DISABLE_VERSION_CHECK": "1"}
    begun = time.monotonic()
    with log.open("wb") as out:
        done = subprocess.run(command, cwd=ROOT, env=env, stdout=out, stderr=out, check=False)
    if done.returncode:
        raise RuntimeError(f"{command[0]} ended with {done.returncode}:\n{log.read_text()[-3000:]}")
    return time.monotonic() - begun


def _version_there(python: Path) -> str:
    asked = f"from importlib.metadata import version; print(version({NAME!r}))"
    try:
        return subprocess.run([str(python), "-c", asked], capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""
