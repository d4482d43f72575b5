"""A worker is cut off in mid-training while it still reaches the job's folder: its late work is used by nobody."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.partition import cut_once
from orchestrator.services import db
from orchestrator.services.db import session_scope
from orchestrator.services.metrics.history import history
from tests.forked_processes import AnyProcess
from tests.studio import RedisProcess, forget_caches, make_person, make_things, start_controller

Processes = list[AnyProcess]
LIMIT_S = 20.0


@pytest.fixture
def on_postgres(home: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("LOREEL_DATABASE_URL", postgres_url)
    forget_caches()
    db.run_migrations()
    yield home
    db.engine().dispose()


@pytest.mark.slow
def test_what_a_cut_off_worker_writes_is_used_by_nobody(
    on_postgres: Path, redis_server: RedisProcess, processes: Processes
) -> None:
    (on_postgres / "jobs").mkdir()
    (on_postgres / "jobs" / "fake.json").write_text(json.dumps({"steps": 100_000, "pause": 0.05}))
    ada = make_person("ada")
    start_controller(processes, on_postgres)
    outcome = cut_once(61, ada, make_things(ada), ("tests/fakes/worker.py",), LOREEL_ISOLATION_LIMIT_S=str(LIMIT_S))
    assert outcome.files_used == []
    assert outcome.late_checkpoints > 0, "the old attempt went on after it had lost its job"
    assert outcome.old_ends_s > LIMIT_S - 2
    with session_scope() as session:
        steps = [step for step, _ in history(session, ada, 1, points=5_000).series["loss"]]
    assert steps == list(range(1, len(steps) + 1))
