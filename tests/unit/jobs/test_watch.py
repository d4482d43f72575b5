"""What the trainer notes of its run stays with the job: in its summary for the page, in its timeline."""

import json
from pathlib import Path
from typing import Any, cast

import pytest
from sqlmodel import select

from jobs.watch import Watch
from orchestrator.domain.training_jobs import HOLDS, JobEvent, JobStatus
from orchestrator.domain.users import Actor
from orchestrator.services.db import session_scope
from orchestrator.states.job_rows import notes_of
from tests.unit.services.training.test_lifecycle import make_job
from tests.workshop import job_of


@pytest.mark.parametrize(("status", "goes_on"), [(s, s in HOLDS) for s in JobStatus])
def test_a_run_that_no_longer_holds_its_job_ends(ada: Actor, tmp_path: Path, status: JobStatus, goes_on: bool) -> None:
    """A host that slept wakes to a job that was given back: same attempt, another state."""
    with session_scope() as session:
        job_id = make_job(session, ada, status)
    nobody = cast("Any", None)
    assert Watch(job_id, 1, tmp_path, nobody, nobody, nobody, 1.0)._ledger() is goes_on


def test_notes_stay_with_the_job(ada: Actor, tmp_path: Path) -> None:
    with session_scope() as session:
        job_id = make_job(session, ada, JobStatus.RUNNING)
    said = [("cache", "Seen once."), ("memory", "Half the batch."), ("memory", "A quarter of it.")]
    head = {"job": job_id, "attempt": 1, "t": "2026-01-01T00:00:00+00:00", "kind": "note"}
    lines = [head | {"seq": n, "name": name, "message": text} for n, (name, text) in enumerate(said, 1)]
    (tmp_path / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    nobody = cast("Any", None)
    Watch(job_id, 1, tmp_path, nobody, nobody, nobody, 1.0).drain()
    assert notes_of(job_of(job_id).summary) == ["Seen once.", "A quarter of it."]
    with session_scope() as session:
        told = [(event.kind, event.message) for event in session.exec(select(JobEvent))]
    assert told == said
