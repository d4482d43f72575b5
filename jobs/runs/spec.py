"""What the horse hands to a trainer process: one JSON file with everything the run needs, so that it asks no database.

The rules between the two:
- `python -m jobs.trainer SPEC.json` trains; it reads nothing but this file, the clips and the base model.
- It appends each record to `metrics.jsonl` (and log lines to `log.jsonl`) in `folder`, then sends it to Redis.
- It ends politely (checkpoint, adapter, result) at the next step after SIGTERM or when `stop_key` exists in Redis.
- Before it ends it writes `result.json` whole: {"attempt": n, "status": "completed" | "stopped" | "failed",
  "failure": a `FailureKind` or "", "error": sentence, "details": text, "summary": {...}}. Exit code 0 for completed
  and stopped.
- When `attempt` is above 1 it goes on from the newest whole checkpoint in `folder/checkpoints`, if there is one.
"""

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class ClipSpec:
    """One good clip; `path` is absolute."""

    id: int
    path: str
    label: str
    caption: str
    """One sentence a line; every line says the same clip in other words."""
    split: str
    """auto | train | validation."""
    content_hash: str
    name: str = ""
    frames: int = 0


@dataclass(frozen=True, slots=True)
class TrainSpec:
    """One attempt of one job."""

    job_id: int
    attempt: int
    name: str
    folder: str
    """The job's folder, absolute."""
    recipe: dict[str, Any]
    task: str
    class_names: list[str]
    dataset_name: str
    model_name: str
    model_path: str
    """Absolute folder with config.json and the weights."""
    model_revision: str
    family: str
    architecture: str
    clips: list[ClipSpec] = field(default_factory=list)
    dataset_version: int = 0
    """0: not known."""
    trackers: list[str] = field(default_factory=list)
    """Tools that get the curves too: mlflow, wandb, trackio."""
    redis_url: str = ""
    """Empty: no Redis; records then go to the files only."""
    live_stream: str = ""
    job_stream: str = ""
    stream_maxlen: int = 20_000
    stop_key: str = ""
    lease_key: str = ""
    cache_dir: str = ""
    """Where caches shared by runs live, absolute."""
    gpus: list[str] = field(default_factory=list)
    """The GPUs of this run, as CUDA_VISIBLE_DEVICES names them; several train together. Empty: a processor."""
    cache_bytes: int = 0
    """Size that these may take together; 0: no limit."""

    def save(self, path: Path) -> None:
        """Writes the file whole."""
        part = path.with_suffix(".part")
        part.write_text(json.dumps(asdict(self), indent=1))
        os.replace(part, path)

    @classmethod
    def load(cls, path: Path) -> "TrainSpec":
        """Reads what `save` wrote."""
        raw = json.loads(path.read_text())
        raw["clips"] = [ClipSpec(**clip) for clip in raw["clips"]]
        return cls(**raw)
