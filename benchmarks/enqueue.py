"""A sweep of 1,000 jobs: how long until all are in the queue, and whether each runs exactly once."""

import time
from collections import Counter
from typing import Any

from sqlmodel import select

from benchmarks.ledger import ledger
from benchmarks.target import Target
from orchestrator.domain.base import utcnow
from orchestrator.domain.datasets import Clip, Dataset, DatasetStatus
from orchestrator.domain.models import ModelSource, ModelStatus, VideoModel
from orchestrator.domain.tasks import ModelType
from orchestrator.domain.training_jobs import JobStatus, TrainingJob
from orchestrator.domain.users import Actor
from orchestrator.services.db import session_scope
from orchestrator.services.queue import waiting_keys, withdraw
from orchestrator.services.training import lifecycle
from orchestrator.services.training.sweeps import launch_sweep
from orchestrator.services.workers import beat

TARGETS: dict[str, Target] = {"enqueue_s": {"max": 2.0}, "not_run_once": {"max": 0.0}}
GRID: dict[str, list[Any]] = {
    "optim.seed": list(range(100)),
    "qlora.r": [4, 8, 16, 32, 64],
    "qlora.dropout": [0.0, 0.1],
}


def run() -> dict[str, float]:
    """Seconds for 1,000 jobs; then every letter is opened by a stand-in worker until none is left."""
    with ledger() as actor:
        dataset_and_model = make_things(actor)
        with session_scope() as session:
            beat(
                session,
                "w",
                host="h",
                device="cpu",
                device_class="cpu",
                pid=1,
                job_id=None,
                stats={},
                started_at=utcnow(),
            )
        began = time.perf_counter()
        with session_scope() as session:
            launch_sweep(session, actor, *dataset_and_model, {"output_name": "many"}, GRID, "bench")
        seconds = time.perf_counter() - began
        began = time.perf_counter()
        runs = _work()
        with session_scope() as session:
            jobs = session.exec(select(TrainingJob.id, TrainingJob.status)).all()
        wrong = sum(runs[job_id or 0] != 1 or status is not JobStatus.COMPLETED for job_id, status in jobs)
        return {
            "jobs": float(len(jobs)),
            "enqueue_s": round(seconds, 2),
            "not_run_once": float(wrong),
            "turn_ms": round((time.perf_counter() - began) / max(1, len(jobs)) * 1000, 2),
        }


def _work() -> Counter[int]:
    """Opens letters as a worker would and counts what was really begun."""
    runs: Counter[int] = Counter()
    while keys := waiting_keys("cpu"):
        for key in keys:
            job_id, attempt = (int(part) for part in key.split("-a"))
            withdraw(key, "cpu")
            with session_scope() as session:
                if lifecycle.claim(session, job_id, attempt, "w"):
                    runs[job_id] += 1
                    lifecycle.mark_running(session, job_id, attempt, 1)
            with session_scope() as session:
                lifecycle.complete(session, job_id, attempt)
    return runs


def make_things(actor: Actor) -> tuple[int, int]:
    """A dataset and a model that a job may be launched with."""
    with session_scope() as session:
        dataset = Dataset(owner_id=actor.user_id, name="d", status=DatasetStatus.READY, class_names=["a", "b"])
        model = VideoModel(
            name="m",
            model_type=ModelType.CLASSIFICATION,
            architecture="VideoMAE",
            source=ModelSource.BUILTIN,
            status=ModelStatus.READY,
            path="/tmp",
        )
        session.add_all([dataset, model])
        session.flush()
        session.add_all(
            Clip(dataset_id=dataset.id or 0, name=f"{n}.mp4", path="x", label="ab"[n % 2]) for n in range(100)
        )
        return dataset.id or 0, model.id or 0
