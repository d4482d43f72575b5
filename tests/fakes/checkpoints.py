"""Checkpoints in the shape that a trainer leaves, without the training."""

import json
from pathlib import Path

from orchestrator.services.attempts.folders import attempt_folder


def save_checkpoint(job_id: int, attempt: int, step: int, content: str = "weights") -> Path:
    """Writes a complete checkpoint into the folder of an attempt; attempt 0 is the folder of version 0.1."""
    folder = attempt_folder(job_id, attempt) / "checkpoints" / f"checkpoint-{step}"
    folder.mkdir(parents=True)
    (folder / "adapter_model.safetensors").write_text(content)
    (folder / "whole.json").write_text(json.dumps({"adapter_model.safetensors": [len(content), ""]}))
    return folder
