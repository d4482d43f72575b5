"""The queue on PostgreSQL: the same rules, the same answers as on SQLite."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.domain.training_jobs import FINAL, JobStatus
from orchestrator.domain.users import Actor
from orchestrator.services import db
from orchestrator.services.activity import overview
from orchestrator.services.datasets.catalog import list_datasets
from orchestrator.services.metrics.history import history
from orchestrator.services.training.jobs import list_jobs
from tests.forked_processes import AnyProcess
from tests.studio import RedisProcess, forget_caches, job_of, launch, make_person, make_things, start_worker, until

Processes = list[AnyProcess]


@pytest.fixture
def on_postgres(home: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("LOREEL_DATABASE_URL", postgres_url)
    forget_caches()
    db.run_migrations()
    yield home
    db.engine().dispose()


def test_a_job_runs_to_its_end_and_is_listed(
    on_postgres: Path, redis_server: RedisProcess, processes: Processes
) -> None:
    (on_postgres / "jobs").mkdir(exist_ok=True)
    (on_postgres / "jobs" / "fake.json").write_text(json.dumps({"steps": 20}))
    ada: Actor = make_person("ada")
    start_worker(processes, on_postgres)
    job_id = launch(ada, make_things(ada))
    until(lambda: job_of(job_id).status in FINAL, what="the job ends")
    assert job_of(job_id).status is JobStatus.COMPLETED, job_of(job_id).error
    with db.session_scope() as session:
        assert len(history(session, ada, job_id).series["loss"]) == 20
        assert overview(session, ada).counts.jobs == 1
        assert list_jobs(session, ada).total == 1
        assert list_datasets(session, ada, q="mot").total == 1
