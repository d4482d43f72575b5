"""The contract between a worker and a trainer: one JSON file with everything a run needs, so that it asks no database.

- `python -m jobs.trainer SPEC.json` trains; it reads nothing but this file, the manifest of its clips next to it, the
  clips and the base model.
- It appends each record (`domain/live_records.py`) to `metrics.jsonl` in `folder`, then sends it to Redis. What it
  prints the worker writes into `log.jsonl`.
- The address of Redis, which may hold a password, comes by the environment (`RUN_REDIS_URL`); without it, records go
  to the files only.
- After SIGTERM, or when `stop_key` exists in Redis, it ends after the current step with checkpoint, adapter, result. It
  leaves evaluations, features, loading and the export at once; the steps before them are saved by then.
- Before it ends it writes `result.json` atomically: {"attempt": n, "status": "completed" | "stopped" | "failed",
  "failure": a `FailureKind` or "", "error": sentence, "details": text, "summary": {...}, "stage": the `Stage` in which
  it heard that it should stop}. Exit code 0 for completed
  and stopped.
- When `attempt` is above 1 or `restarted` is set, it resumes from the latest complete one of `checkpoints` and those
  in `folder/checkpoints`.
"""

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from jobs.runs.clip_spec import ClipSpec
from jobs.runs.manifest import read_manifest
from orchestrator.domain.tasks import ProblemType


@dataclass(frozen=True, slots=True)
class TrainSpec:
    """One attempt of one job."""

    job_id: int
    attempt: int
    name: str
    folder: str
    """The attempt's folder, absolute; the names of its files are in `domain/job_files.py`."""
    recipe: dict[str, Any]
    task: str
    class_names: list[str]
    """In the order of the classifier's outputs; empty for a task without classes."""
    dataset_name: str
    model_name: str
    model_path: str
    """Absolute folder with config.json and the weights."""
    model_revision: str
    family: str
    architecture: str
    model_ref: str = ""
    """The base's id on the Hugging Face Hub, where it came from there."""
    clips: Sequence[ClipSpec] = field(default_factory=list)
    """In the file itself only where there is no manifest, as version 0.1 wrote it."""
    manifest: str = ""
    """The file of the clips (`jobs/runs/manifest.py`), next to the spec; "" where they stand in the spec."""
    manifest_hash: str = ""
    """Its SHA-256."""
    dataset_version: int = 0
    """0: unknown."""
    problem_type: str = ProblemType.SINGLE_LABEL.value
    """A `ProblemType`: whether any clip has several labels."""
    adapter_folder: str = ""
    """The folder of the adapter whose weights the run begins with, absolute; "": it begins with new ones."""
    adapter_name: str = ""
    """What people call that adapter, such as "cats v2"."""
    trackers: list[str] = field(default_factory=list)
    """Tools that get the curves as well: mlflow, wandb, trackio."""
    live_stream: str = ""
    job_stream: str = ""
    stream_maxlen: int = 20_000
    stop_key: str = ""
    """A Redis key: once it exists, the run ends."""
    cache_dir: str = ""
    """The folder of caches that runs share, absolute."""
    cache_bytes: int = 0
    """Size that the caches may have together; 0: no limit."""
    decode_threads: int = 0
    """Threads, or loader processes, that decode clips ahead; 0: as many as fit the machine."""

    checkpoints: list[str] = field(default_factory=list)
    """Those of earlier attempts from which it may resume, absolute, the newest first."""
    prunes: bool = True
    """Whether the trainer deletes its older checkpoints. In a job the worker does, once a newer one counts."""
    restarted: bool = False
    """Whether a trainer of the same attempt has ended before, to wait for Redis and the database."""
    first_seq: int = 0
    """The number of the job's newest record that the database has."""

    gpus: list[str] = field(default_factory=list)
    """The GPUs of this run, as CUDA_VISIBLE_DEVICES names them, one rank on each. Empty: the processor."""

    @property
    def public_base(self) -> str:
        """How files that leave the studio name the base: by its id on the Hub, which others can load, else its name."""
        return self.model_ref or self.model_name

    def save(self, path: Path) -> None:
        """Writes the file atomically; only its owner can read it."""
        part = path.with_suffix(".part")
        part.touch(mode=0o600)
        values = {entry.name: getattr(self, entry.name) for entry in fields(self)}
        values["clips"] = [] if self.manifest else [asdict(clip) for clip in self.clips]
        part.write_text(json.dumps(values, indent=1))
        os.replace(part, path)

    @classmethod
    def load(cls, path: Path) -> "TrainSpec":
        """Reads what `save` wrote.

        Raises:
            Invalid: the manifest is missing or damaged.
        """
        raw = json.loads(path.read_text())
        if raw.get("manifest"):
            raw["clips"] = read_manifest(path.with_name(raw["manifest"]), raw["manifest_hash"])
        else:
            raw["clips"] = [ClipSpec(**clip) for clip in raw["clips"]]
        return cls(**raw)
