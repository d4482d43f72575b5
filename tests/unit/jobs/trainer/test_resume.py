"""kill -9 at a random step: the run that goes on has the losses of one that nothing disturbed."""

import dataclasses
import multiprocessing
import os
import random
import signal
import sys
import time
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest

from jobs.runs.spec import TrainSpec
from jobs.trainer import callbacks, device_settings
from jobs.trainer.checkpoints import latest_complete_checkpoint
from jobs.trainer.entrypoint import main
from tests.unit.jobs.trainer.conftest import MakeSpec
from tests.unit.jobs.trainer.test_run import losses

STEPS = 12
GATHERED = {"gradient_accumulation": 2, "batch_size": 3, "optimizer": "adamw_8bit"}
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["jobs.trainer.entrypoint"])  # torch is imported once, not for each of nine trainers


def _train(path: Path, workers: int, keep_s: float) -> None:
    os.setsid()
    multiprocessing.set_start_method("fork", force=True)  # for the loader processes, as in a trainer of its own
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    os.dup2(quiet, 2)
    device_settings.loader_workers = lambda *_: workers
    callbacks.CHECKPOINT_INTERVAL_S = keep_s
    callbacks._SAVE_COST_RATIO = min(callbacks._SAVE_COST_RATIO, keep_s)
    sys.exit(main(path))


def start(spec: TrainSpec, workers: int, keep_s: float) -> BaseProcess:
    """A trainer in a process and a session of its own."""
    path = Path(spec.folder) / "spec.json"
    spec.save(path)
    process = _FORKS.Process(target=_train, args=(path, workers, keep_s))
    process.start()
    return process


def code_of(process: BaseProcess) -> int | None:
    """Its exit code, once it has ended; None when it goes on for five minutes."""
    process.join(300)
    return process.exitcode


def reached(spec: TrainSpec) -> int:
    try:
        return max(losses(spec), default=0)
    except (OSError, ValueError):  # not there yet, or a line half written
        return 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("workers", "keep_s", "optim"),
    [(0, 600, {}), (2, 600, GATHERED), (2, 0, GATHERED)],
    ids=["plain", "loader processes, accumulation and 8-bit moments", "the same from within an epoch"],
)
def test_a_killed_run_goes_on_exactly(make_spec: MakeSpec, workers: int, keep_s: float, optim: dict[str, Any]) -> None:
    """With dropout and varied clips; four steps an epoch, so the kill mostly falls between two checkpoints."""
    recipe: dict[str, Any] = {"optim": {"epochs": 3} | optim, "qlora": {"dropout": 0.1}}
    whole = make_spec("whole", **recipe)
    assert code_of(start(whole, workers, keep_s)) == 0
    expected = losses(whole)
    assert len(expected) == STEPS
    killed = dataclasses.replace(whole, folder=str(Path(whole.folder).with_name("killed")))
    Path(killed.folder).mkdir()
    at = random.SystemRandom().randint(1, STEPS - 1)
    process = start(killed, workers, keep_s)
    until = time.monotonic() + 300
    while reached(killed) < at:
        assert process.exitcode is None
        assert time.monotonic() < until
        time.sleep(0.005)
    assert process.pid
    os.killpg(process.pid, signal.SIGKILL)
    assert code_of(process) == -signal.SIGKILL
    if not keep_s and at > 1:
        newest = latest_complete_checkpoint(Path(killed.folder) / "checkpoints")
        assert newest is not None
        assert int(newest.name.removeprefix("checkpoint-")) >= at - 1
    again = dataclasses.replace(killed, attempt=2)
    assert code_of(start(again, workers, keep_s)) == 0
    assert losses(again) == pytest.approx(expected, abs=1e-5), f"killed after step {at}"
