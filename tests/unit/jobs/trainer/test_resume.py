"""kill -9 at a random step: the run that goes on has the losses of one that nothing disturbed."""

import dataclasses
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from jobs.spec import TrainSpec
from jobs.trainer.checkpoints import newest_whole
from orchestrator.settings import ROOT
from tests.unit.jobs.trainer.conftest import MakeSpec
from tests.unit.jobs.trainer.test_run import losses

STEPS = 12
GATHERED = {"gradient_accumulation": 2, "batch_size": 3, "optimizer": "adamw_8bit"}
_PROGRAM = """
import sys
from pathlib import Path
from jobs.trainer import manner
manner.loader_workers = lambda device: int(sys.argv[2])
from jobs.trainer import callback
callback.KEEP_S = float(sys.argv[3])
callback._DEAR = min(callback._DEAR, callback.KEEP_S)
from jobs.trainer.run import main
sys.exit(main(Path(sys.argv[1])))
"""


def start(spec: TrainSpec, workers: int, keep_s: float) -> subprocess.Popen[bytes]:
    path = Path(spec.folder) / "spec.json"
    spec.save(path)
    quiet = subprocess.DEVNULL
    command = [sys.executable, "-c", _PROGRAM, str(path), str(workers), str(keep_s)]
    return subprocess.Popen(command, cwd=ROOT, stdout=quiet, stderr=quiet, start_new_session=True)


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
    assert start(whole, workers, keep_s).wait(300) == 0
    expected = losses(whole)
    assert len(expected) == STEPS
    killed = dataclasses.replace(whole, folder=str(Path(whole.folder).with_name("killed")))
    Path(killed.folder).mkdir()
    at = random.SystemRandom().randint(1, STEPS - 1)
    process = start(killed, workers, keep_s)
    until = time.monotonic() + 300
    while reached(killed) < at:
        assert process.poll() is None
        assert time.monotonic() < until
        time.sleep(0.005)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait(30)
    if not keep_s and at > 1:
        newest = newest_whole(Path(killed.folder) / "checkpoints")
        assert newest is not None
        assert int(newest.name.removeprefix("checkpoint-")) >= at - 1
    again = dataclasses.replace(killed, attempt=2)
    assert start(again, workers, keep_s).wait(300) == 0
    assert losses(again) == pytest.approx(expected, abs=1e-5), f"killed after step {at}"
