"""The lists with 10,000 jobs and 10,000 datasets: first page, search, filter, sort, a page in the middle."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from sqlmodel import Session

from benchmarks.enqueue import make_things
from benchmarks.ledger import ledger, milliseconds, p95
from benchmarks.target import Target
from orchestrator.domain.base import utcnow
from orchestrator.domain.datasets import Dataset, DatasetStatus
from orchestrator.domain.run_summary import RunSummary
from orchestrator.domain.training_jobs import JobStatus, TrainingJob
from orchestrator.domain.users import Actor
from orchestrator.services.activity import overview
from orchestrator.services.datasets.catalog import list_datasets
from orchestrator.services.db import session_scope
from orchestrator.services.training.filters import job_choices
from orchestrator.services.training.jobs import list_jobs

TARGETS: dict[str, Target] = {
    "jobs_p95_ms": {"max": 50.0},
    "choices_p95_ms": {"max": 50.0},
    "datasets_p95_ms": {"max": 50.0},
}
ROWS = 10_000
TIMES = 20
STATUSES = (JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.STOPPED, JobStatus.COMPLETED)


def run() -> dict[str, float]:
    """p95 in milliseconds over every kind of question, 20 times each."""
    with ledger() as actor:
        dataset_and_model = make_things(actor)
        _fill(actor, *dataset_and_model)
        with session_scope() as session:
            deep = list_jobs(session, actor, sort="name", limit=200).next
        job_queries: list[dict[str, Any]] = [
            {},
            {"q": "run-00"},
            {"status": "failed"},
            {"status": "active"},
            {"sort": "name"},
            {"sort": "-status"},
            {"sort": "name", "cursor": deep},
            {"dataset": dataset_and_model[0]},
            {"model": dataset_and_model[1], "status": "failed", "q": "run-0"},
        ]
        choices = _times(lambda s: job_choices(s, actor))
        jobs = [seconds for options in job_queries for seconds in _times(lambda s, o=options: list_jobs(s, actor, **o))]
        dataset_queries: list[dict[str, Any]] = [{}, {"q": "set 77"}, {"status": "error"}, {"sort": "name"}]
        datasets = [
            seconds
            for options in dataset_queries
            for seconds in _times(lambda s, o=options: list_datasets(s, actor, **o))
        ]
        return {
            "choices_p95_ms": round(p95(choices), 1),
            "jobs_p95_ms": round(p95(jobs), 1),
            "datasets_p95_ms": round(p95(datasets), 1),
            "overview_p95_ms": round(p95(_times(lambda s: overview(s, actor))), 1),
        }


def _times(ask: Callable[[Session], object]) -> list[float]:
    def visit() -> None:
        with session_scope() as session:
            ask(session)

    visit()
    return milliseconds(visit, TIMES)


def _fill(actor: Actor, dataset_id: int, model_id: int) -> None:
    now = utcnow()
    with session_scope() as session:
        for n in range(ROWS):
            at = now - timedelta(minutes=n)
            session.add(
                TrainingJob(
                    owner_id=actor.user_id,
                    name=f"run-{n:05d}",
                    dataset_id=dataset_id if n % 50 == 0 else None,
                    model_id=model_id if n % 2 else None,
                    dataset_name=f"set {n % 500}",
                    model_name=f"model {n % 40}",
                    idempotency_key=str(n),
                    status=STATUSES[n % 4],
                    recipe={"optim": {"epochs": 10}},
                    summary=RunSummary.of_values({"loss": 0.5, "eval_accuracy": 0.9}),
                    created_at=at,
                    started_at=at,
                    finished_at=at,
                )
            )
            status = DatasetStatus.READY if n % 50 else DatasetStatus.ERROR
            session.add(Dataset(owner_id=actor.user_id, name=f"set {n:05d}", status=status, created_at=at))
