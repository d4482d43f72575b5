"""Checkpoints in the shape that a trainer leaves, without the training."""

import json
from pathlib import Path

from orchestrator.domain.exported_step import BestEvaluation
from orchestrator.services.attempts.folders import attempt_folder


def save_checkpoint(job_id: int, attempt: int, step: int, content: str = "weights", best: int = 0) -> Path:
    """Writes a complete checkpoint into the folder of an attempt; attempt 0 is the folder of version 0.1.

    Args:
        best: the step of the best evaluation so far; 0 for a run that does not go by it.
    """
    folder = attempt_folder(job_id, attempt) / "checkpoints" / f"checkpoint-{step}"
    folder.mkdir(parents=True)
    (folder / "adapter_model.safetensors").write_text(content)
    (folder / "whole.json").write_text(json.dumps({"adapter_model.safetensors": [len(content), ""]}))
    if best:
        state = BestEvaluation(best, 1.0, "eval_accuracy", {"eval_accuracy": 0.9}, 3, 1)
        (folder / "best.json").write_text(json.dumps(state.to_json()))
    return folder
