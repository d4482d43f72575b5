"""Time from a failure to the next training step: work process killed, worker killed, whole host silent."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
from sqlmodel import select

from benchmarks.enqueue import make_things
from benchmarks.ledger import ledger, p95
from benchmarks.target import Target
from orchestrator.domain.job_files import METRICS
from orchestrator.domain.recipes import Recipe
from orchestrator.domain.users import Actor
from orchestrator.domain.workers import Worker
from orchestrator.services.attempts.folders import attempt_folder
from orchestrator.services.db import session_scope
from orchestrator.services.training import lifecycle
from orchestrator.services.training.launch import launch_job
from orchestrator.settings import ROOT, get_settings

TARGETS: dict[str, Target] = {
    "work_process_p95_s": {"max": 2.0},
    "worker_p95_s": {"max": 10.0},
    "host_p95_s": {"max": 15.0},
    "trained_twice": {"max": 0.0},
}
TIMES = int(os.environ.get("LOREEL_BENCH_TIMES", "5"))
WORKER = str(ROOT / "tests" / "fakes" / "worker.py")
"""The real worker with a trainer that needs no torch: what is measured is the queue, not the import of a library."""


def run() -> dict[str, float]:
    """Seconds from the kill to the first step of the next attempt, p95 of 5 each; two workers, one controller."""
    with ledger() as actor:
        dataset_and_model = make_things(actor)
        jobs = get_settings().jobs_dir
        jobs.mkdir(parents=True, exist_ok=True)
        (jobs / "fake.json").write_text(json.dumps({"steps": 100_000, "pause": 0.02}))
        controller = _start("-m", "jobs.controller")
        try:
            work_process = [_measure(actor, dataset_and_model, jobs, _kill_work_process) for _ in range(TIMES)]
            worker = [_measure(actor, dataset_and_model, jobs, _kill_worker) for _ in range(TIMES)]
            host = [_measure(actor, dataset_and_model, jobs, _silence) for _ in range(TIMES)]
        finally:
            _end(controller)
    return {
        "work_process_p95_s": round(p95([took for took, _ in work_process]), 2),
        "worker_p95_s": round(p95([took for took, _ in worker]), 2),
        "host_p95_s": round(p95([took for took, _ in host]), 2),
        "trained_twice": float(sum(twice for _, twice in [*work_process, *worker, *host])),
    }


def _measure(
    actor: Actor,
    dataset_and_model: tuple[int, int],
    jobs: Path,
    strike: Callable[[psutil.Process, psutil.Process], None],
) -> tuple[float, int]:
    """(seconds, records that the fenced attempt wrote after the next one began)."""
    workers = [_start(WORKER, "--device", "cpu", "--no-prep") for _ in range(2)]
    _wait_for_workers({worker.pid for worker in workers})
    with session_scope() as session:
        job_id = launch_job(session, actor, *dataset_and_model, Recipe()).id
    try:
        folder = jobs / str(job_id)
        _wait_for_step(folder, 1, 90)
        trainer = psutil.Process(int((folder / "a1" / "pid-1").read_text()))
        worker = next(p for p in workers if p.pid in {parent.pid for parent in trainer.parents()})
        time.sleep(1.0)
        began = time.monotonic()
        strike(trainer, psutil.Process(worker.pid))
        _wait_for_step(folder, 2, 60)
        took = time.monotonic() - began
        return took, _twice(folder)
    finally:
        for process in workers:
            _end(process)
        with session_scope() as session:
            lifecycle.mark_stopped(session, job_id, 2, "Measured.")


def _wait_for_workers(pids: set[int], limit_s: float = 90.0) -> None:
    """Both have beaten: a job that is sent before its worker starts is judged by other rules."""
    until = time.monotonic() + limit_s
    while time.monotonic() < until:
        with session_scope() as session:
            if pids <= set(session.exec(select(Worker.pid)).all()):
                return
        time.sleep(0.1)
    raise RuntimeError("The workers did not start.")


def _kill_work_process(trainer: psutil.Process, _worker: psutil.Process) -> None:
    work_process = trainer.parent()
    assert work_process is not None
    work_process.kill()


def _kill_worker(_trainer: psutil.Process, worker: psutil.Process) -> None:
    worker.kill()


def _silence(trainer: psutil.Process, worker: psutil.Process) -> None:
    """Everything of that worker stands still, as on a host that lost its network or its power."""
    for process in [worker, *worker.children(recursive=True), trainer]:
        process.suspend()


def _records(folder: Path, attempt: int) -> list[dict[str, Any]]:
    """What the attempt itself recorded; its file begins with what those before it did."""
    try:
        lines = (attempt_folder(int(folder.name), attempt) / METRICS).read_text().splitlines()
    except OSError:
        return []
    records = [json.loads(line) for line in lines if line.endswith("}")]
    return [record for record in records if record["attempt"] == attempt]


def _wait_for_step(folder: Path, attempt: int, limit_s: float) -> None:
    until = time.monotonic() + limit_s
    while not _records(folder, attempt):
        if time.monotonic() > until:
            raise RuntimeError(f"Attempt {attempt} of {folder.name} did not begin within {limit_s} s.")
        time.sleep(0.02)


def _twice(folder: Path) -> int:
    """Records of attempt 1 that are newer than the first of attempt 2."""
    second = _records(folder, 2)[0]["t"]
    return sum(record["t"] > second for record in _records(folder, 1))


def _start(*command: str) -> subprocess.Popen[bytes]:
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    quiet = subprocess.DEVNULL
    return subprocess.Popen(
        [sys.executable, *command], cwd=ROOT, env=env, stdout=quiet, stderr=quiet, start_new_session=True
    )


def _end(process: subprocess.Popen[bytes]) -> None:
    """The whole session of it, also what stands still."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    process.wait(10)
