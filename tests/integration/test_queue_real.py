"""The real trainer behind the real queue: the demo clips, the built-in base, a few steps, an adapter at the end."""

import os
import signal
import time
import zipfile
from pathlib import Path

import pytest
from sqlmodel import select

from orchestrator.domain.models import VideoModel
from orchestrator.domain.recipes import parse_recipe
from orchestrator.domain.training_jobs import FINAL, JobEvent, JobStatus
from orchestrator.domain.users import Actor
from orchestrator.services.attempts.folders import readable_folder
from orchestrator.services.datasets.demo import create_demo
from orchestrator.services.db import session_scope
from orchestrator.services.metrics.history import history
from orchestrator.services.models.builtin import ensure_builtin
from orchestrator.services.training.artifacts import adapter_zip
from orchestrator.services.training.launch import launch_job
from orchestrator.services.training.lifecycle import request_stop
from tests.demo_clips import fill_demo
from tests.forked_processes import AnyProcess, ForkedProcess
from tests.studio import RedisProcess, job_of, until

Processes = list[AnyProcess]
RECIPE = {"optim": {"batch_size": 16, "epochs": 2}, "qlora": {"r": 4, "alpha": 8}}


def real_things(actor: Actor) -> tuple[int, int]:
    fill_demo()
    with session_scope() as session:
        dataset_id = create_demo(session, actor.user_id)
        ensure_builtin(session)
        found = session.exec(select(VideoModel.id).where(VideoModel.source_ref == "videomae-tiny")).one()
        return dataset_id, found or 0


def start(actor: Actor, things: tuple[int, int], **optim: object) -> int:
    recipe = {**RECIPE, "optim": {**RECIPE["optim"], **optim}}
    with session_scope() as session:
        return launch_job(session, actor, *things, parse_recipe(recipe)).id


def real_worker(processes: Processes, home: Path) -> ForkedProcess:
    worker = ForkedProcess("jobs.worker.main", ["--device", "cpu", "--no-prep"], log=home / "worker.log")
    processes.append(worker)
    return worker


def logged(job_id: int) -> str:
    job = job_of(job_id)
    log = readable_folder(job_id, job.attempt) / "log.jsonl"
    return f"{job.status}: {job.error}\n{job.error_details}\n{log.read_text()[-3000:] if log.exists() else ''}"


@pytest.mark.slow
def test_a_real_training_leaves_an_adapter(
    home: Path, redis_server: RedisProcess, ada: Actor, processes: Processes
) -> None:
    real_worker(processes, home)
    began = time.monotonic()
    job_id = start(ada, real_things(ada))
    until(lambda: job_of(job_id).status in FINAL, 240, "the job ends", pause_s=0.3)
    job = job_of(job_id)
    assert job.status is JobStatus.COMPLETED, logged(job_id)
    assert job.step == job.total_steps == 24
    assert job.summary.values["eval_accuracy"] >= 0.0
    assert len(job.summary.confusion_matrix) == 4
    with session_scope() as session:
        curves = history(session, ada, job_id).series
        assert {"loss", "learning_rate", "grad_norm", "samples_per_s", "eval_loss", "eval_accuracy"} <= set(curves)
        with zipfile.ZipFile(adapter_zip(session, ada, job_id)) as archive:
            names = archive.namelist()
    assert "adapter/adapter_model.safetensors" in names
    print(f"{time.monotonic() - began:.1f} s")


@pytest.mark.slow
def test_a_real_training_goes_on_after_a_kill_and_stops_politely(
    home: Path, redis_server: RedisProcess, ada: Actor, processes: Processes
) -> None:
    worker = real_worker(processes, home)
    job_id = start(ada, real_things(ada), epochs=200)
    checkpoints = home / "jobs" / str(job_id) / "a1" / "checkpoints"
    until(lambda: list(checkpoints.glob("checkpoint-*")), 120, "the first checkpoint")
    trainer = next(p for p in _tree(worker.pid) if "jobs.trainer" in p[1])
    os.kill(trainer[0], signal.SIGKILL)
    until(lambda: job_of(job_id).attempt == 2 and job_of(job_id).status is JobStatus.RUNNING, 60, logged(job_id))
    resumed = job_of(job_id).step
    with session_scope() as session:
        request_stop(session, ada, job_id)
    until(lambda: job_of(job_id).status in FINAL, 60)
    assert job_of(job_id).status is JobStatus.STOPPED, logged(job_id)
    assert job_of(job_id).step >= resumed > 0
    assert "Going on from checkpoint" in logged(job_id)


@pytest.mark.slow
@pytest.mark.parametrize("status", [JobStatus.STARTING, JobStatus.RUNNING])
def test_a_stop_before_the_first_step_ends_as_stopped(
    home: Path, redis_server: RedisProcess, ada: Actor, processes: Processes, status: JobStatus
) -> None:
    real_worker(processes, home)
    job_id = start(ada, real_things(ada), epochs=200)
    until(lambda: job_of(job_id).status is status, 120, "the trainer starts")
    with session_scope() as session:
        request_stop(session, ada, job_id)
    until(lambda: job_of(job_id).status in FINAL, 60)
    assert job_of(job_id).status is JobStatus.STOPPED, logged(job_id)
    with session_scope() as session:
        events = [event.message for event in session.exec(select(JobEvent).where(JobEvent.job_id == job_id))]
    assert events[-1].startswith("Stopped "), events


def _tree(pid: int) -> list[tuple[int, str]]:
    import psutil

    below = psutil.Process(pid).children(recursive=True)
    return [(process.pid, " ".join(process.cmdline())) for process in below]
