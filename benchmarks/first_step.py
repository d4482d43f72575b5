"""A job on 100,000 clips: processor time and peak memory from its launch to its first step."""

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from sqlalchemy import insert

from benchmarks.ledger import ledger
from benchmarks.rival import tiny_spec
from benchmarks.target import Target
from benchmarks.tiny_qwen import make_base, make_clips
from jobs.runs.spec import TrainSpec
from jobs.runs.spec_writer import training_inputs
from jobs.runs.trainer_process import PREWARMED_COMMAND
from orchestrator.domain.datasets import Clip, ClipStatus, Dataset, DatasetStatus, Split
from orchestrator.domain.models import ModelSource, VideoModel
from orchestrator.domain.tasks import ModelType, Task
from orchestrator.domain.users import Actor
from orchestrator.services.db import session_scope
from orchestrator.settings import ROOT, get_settings

TARGETS: dict[str, Target] = {"cpu_s": {"max": 10.0}, "peak_mb": {"max": 1_500.0}}
CLIPS, CONTENTS = 100_000, 20
_LIMIT_S, _IMPORTED_S = 600.0, 2.0


def run() -> dict[str, float]:
    """Seconds of processor time of worker and trainer, whose imports were made before the launch, and its memory."""
    folder = Path(tempfile.mkdtemp(prefix="loreel-first-step-"))
    try:
        base = make_base(folder / "base")
        with ledger() as actor:
            dataset_id = _fill(actor, folder)
            began = time.process_time()
            spec = _spec(folder, base, dataset_id)
            worker_s = time.process_time() - began
            size = (Path(spec.folder) / "spec.json").stat().st_size
            imports_s, trainer_s, peak = _first_step(spec)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    figures = {"cpu_s": worker_s + trainer_s, "worker_cpu_s": worker_s, "imports_cpu_s": imports_s}
    figures |= {"peak_mb": peak / 1e6, "spec_kb": size / 1e3}
    return {name: round(value, 2) for name, value in figures.items()}


def _fill(actor: Actor, folder: Path) -> int:
    """A dataset whose clips repeat a few files."""
    files = make_clips(folder / "clips", CONTENTS)
    digests = [hashlib.sha256(Path(clip.path).read_bytes()).hexdigest() for clip in files]
    with session_scope() as session:
        dataset = Dataset(owner_id=actor.user_id, name="large", task=Task.CAPTIONING, status=DatasetStatus.READY)
        dataset.clip_count = CLIPS
        session.add(dataset)
        session.flush()
        rows = [
            {
                "dataset_id": dataset.id,
                "name": f"{number:06d}.mp4",
                "path": files[number % CONTENTS].path,
                "content_hash": digests[number % CONTENTS],
                "caption": files[number % CONTENTS].caption,
                "split": Split.TRAIN,
                "status": ClipStatus.OK,
                "frames": 48,
            }
            for number in range(CLIPS)
        ]
        session.execute(insert(Clip), rows)
        return dataset.id or 0


def _spec(folder: Path, base: Path, dataset_id: int) -> TrainSpec:
    """The spec as a worker writes it for an attempt."""
    run_folder = folder / "run"
    run_folder.mkdir()
    with session_scope() as session:
        dataset = session.get_one(Dataset, dataset_id)
        model = VideoModel(
            name="Tiny",
            path=str(base),
            family="qwen2_vl",
            model_type=ModelType.CAPTIONING,
            architecture="Qwen2VLForConditionalGeneration",
            source=ModelSource.PATH,
        )
        inputs = training_inputs(session, dataset, dataset.version, model, get_settings(), run_folder)
    spec = replace(tiny_spec(run_folder, base, []), **inputs)
    spec.save(run_folder / "spec.json")
    return spec


def _first_step(spec: TrainSpec) -> tuple[float, float, int]:
    """Processor time of the trainer's imports, that of its run up to the first step, and its peak memory by then."""
    folder = Path(spec.folder)
    environment = {key: value for key, value in os.environ.items() if not key.startswith("LOREEL_")}
    environment |= {"HF_HUB_OFFLINE": "1", "OMP_WAIT_POLICY": "PASSIVE"}
    with (folder / "log.txt").open("wb") as log:
        trainer = subprocess.Popen(
            [*PREWARMED_COMMAND], cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=log, stderr=log
        )
    deadline = time.monotonic() + _LIMIT_S
    assert trainer.stdin is not None
    try:
        imports = -1.0
        while imports < _IMPORTED_S or imports != _processor_s(trainer.pid):  # it waits for its spec
            imports = _processor_s(trainer.pid)
            time.sleep(2)
        trainer.stdin.write(f"{folder / 'spec.json'}\n".encode())
        trainer.stdin.flush()
        while not _has_stepped(folder / "metrics.jsonl"):
            if trainer.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"The trainer made no step:\n{(folder / 'log.txt').read_text()[-3000:]}")
            time.sleep(0.05)
        status = Path(f"/proc/{trainer.pid}/status").read_text()
        peak = int(status.partition("VmHWM:")[2].split()[0]) * 1024
        return imports, _processor_s(trainer.pid) - imports, peak
    finally:
        trainer.kill()
        trainer.wait()


def _processor_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _has_stepped(metrics: Path) -> bool:
    try:
        records = [json.loads(line) for line in metrics.read_text().splitlines()]
    except (OSError, ValueError):
        return False
    return any("loss" in record.get("values", {}) for record in records)
