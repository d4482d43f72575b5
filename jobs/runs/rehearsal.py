"""Runs two steps of a recipe in the prep worker, to measure the time and memory that the whole run will take."""

import contextlib
import json
import os
import shutil
import sys
import threading
import time
from pathlib import Path
from typing import Any

import psutil
import structlog

from jobs.runs.spec import TrainSpec
from jobs.runs.spec_writer import MissingInput, training_inputs
from jobs.runs.trainer_process import TrainerProcess
from jobs.telemetry.device import find_device
from orchestrator.domain.datasets import Dataset
from orchestrator.domain.models import VideoModel
from orchestrator.domain.rehearsals import Rehearsal
from orchestrator.services.db import session_scope, when_available
from orchestrator.services.training.rehearsals import claim, finish
from orchestrator.settings import get_settings

log = structlog.get_logger()
_COMMAND = (sys.executable, "-m", "jobs.trainer.rehearsal")
_LIMIT_S = 300.0
_MIN_FREE_BYTES = 256 * 2**20
"""The machine must keep this much memory free while a recipe is only rehearsed."""


def run_rehearsal(rehearsal_id: int) -> str:
    """Runs a rehearsal.

    Returns:
        How it ended, for the worker's log: done, failed, or "not ours" when another worker has it.
    """
    device = find_device()
    folder = get_settings().data_dir / "rehearsals" / str(rehearsal_id)
    with session_scope() as session:
        if claim(session, rehearsal_id, device.label[:64]) is None:
            return "not ours"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        result, error = _rehearse(write_spec(rehearsal_id, folder), folder)
    except MissingInput as missing:
        result, error = {}, missing.sentence
    except OSError as fault:
        result, error = {}, f"The folder for the rehearsal could not be written: {fault.strerror}."
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    when_available(lambda: _finish(rehearsal_id, result, error))
    return "failed" if error else "done"


def _finish(rehearsal_id: int, result: dict[str, Any], error: str) -> None:
    with session_scope() as session:
        finish(session, rehearsal_id, result, error)


def _rehearse(spec: Path, folder: Path) -> tuple[dict[str, Any], str]:
    """Runs the rehearsal's process to its end.

    Returns:
        (measurements, "") or ({"field": the recipe field that causes it}, sentence).
    """
    child = TrainerProcess.start(spec, _COMMAND)
    threading.Thread(target=_discard, args=(child.output,), daemon=True).start()
    deadline, code = time.monotonic() + _LIMIT_S, None
    try:
        while code is None:
            if time.monotonic() > deadline:
                slow = f"Two steps took longer than {_LIMIT_S:.0f} s here. Use fewer frames, or a smaller base."
                return {"field": "data.frames"}, slow
            if psutil.virtual_memory().available < _MIN_FREE_BYTES:
                return {"field": "optim.batch_size"}, "The machine's memory ran out. Try a smaller batch size."
            code = child.wait(0.3)
    finally:
        child.kill()
    try:
        answer = json.loads((folder / "result.json").read_text())
    except (OSError, ValueError):
        if code == -9:
            return {"field": "optim.batch_size"}, "The memory ran out. Try a smaller batch size."
        return {}, "The rehearsal ended without a result."
    if error := str(answer.get("error") or ""):
        return {"field": str(answer.get("field") or "")}, error
    return dict(answer.get("result") or {}), ""


def _discard(pipe: int) -> None:
    with contextlib.suppress(OSError):
        while os.read(pipe, 1 << 16):
            pass


def write_spec(rehearsal_id: int, folder: Path) -> Path:
    """Writes what the trial reads: the clips of the version that was asked for, the base and the recipe.

    Raises:
        MissingInput: the dataset or the base was deleted.
    """
    settings = get_settings()
    with session_scope() as session:
        record = session.get_one(Rehearsal, rehearsal_id)
        dataset, model = session.get(Dataset, record.dataset_id), session.get(VideoModel, record.model_id)
        if dataset is None or model is None or not os.path.isdir(model.path):
            raise MissingInput("The dataset or the base model is not there any more.")
        spec = TrainSpec(
            job_id=0,
            attempt=1,
            name="rehearsal",
            folder=str(folder),
            recipe=record.recipe,
            dataset_name=dataset.name,
            model_name=model.name,
            **training_inputs(session, dataset, record.dataset_version, model, settings, folder),
        )
    path = folder / "spec.json"
    spec.save(path)
    return path
