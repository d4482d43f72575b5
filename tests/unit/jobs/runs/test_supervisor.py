"""What the trainer notes of its run stays with the job: in its summary for the page, in its timeline."""

import json
from pathlib import Path
from typing import Any, cast

import pytest
from sqlmodel import select

from jobs.runs.attempt import _merge_summary
from jobs.runs.supervisor import Supervisor
from orchestrator.domain.training_jobs import ON_WORKER, JobEvent, JobStatus, TrainingJob
from orchestrator.domain.users import Actor
from orchestrator.services.db import session_scope
from orchestrator.states.jobs.rows import notes_of
from orchestrator.states.jobs.samples import samples_of
from tests.studio import job_of
from tests.unit.services.training.test_lifecycle import make_job


@pytest.mark.parametrize(("status", "goes_on"), [(s, s in ON_WORKER) for s in JobStatus])
def test_a_run_that_no_longer_holds_its_job_ends(ada: Actor, tmp_path: Path, status: JobStatus, goes_on: bool) -> None:
    """A host that slept wakes to a job that was given back: same attempt, another state."""
    with session_scope() as session:
        job_id = make_job(session, ada, status)
    nobody = cast("Any", None)
    assert Supervisor(job_id, 1, tmp_path, nobody, nobody, nobody, 1.0)._store_measurements() is goes_on


def test_notes_stay_with_the_job(ada: Actor, tmp_path: Path) -> None:
    with session_scope() as session:
        job_id = make_job(session, ada, JobStatus.RUNNING)
    said = [("cache", "Seen once."), ("memory", "Half the batch."), ("memory", "A quarter of it.")]
    head = {"job": job_id, "attempt": 1, "t": "2026-01-01T00:00:00+00:00", "kind": "note"}
    lines = [head | {"seq": n, "name": name, "message": text} for n, (name, text) in enumerate(said, 1)]
    (tmp_path / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    nobody = cast("Any", None)
    Supervisor(job_id, 1, tmp_path, nobody, nobody, nobody, 1.0).store_remaining()
    assert notes_of(job_of(job_id).summary) == ["Seen once.", "A quarter of it."]
    with session_scope() as session:
        told = [(event.kind, event.message) for event in session.exec(select(JobEvent))]
    assert told == said


def test_predictions_of_a_clip_are_stored_by_evaluation(ada: Actor, tmp_path: Path) -> None:
    """Told again from a checkpoint it stands once, and the end of the run adds its own to it."""
    with session_scope() as session:
        job_id = make_job(session, ada, JobStatus.RUNNING)
    head = {"job": job_id, "attempt": 1, "t": "2026-01-01T00:00:00+00:00", "kind": "samples", "step": 4}
    said = [(1.0, "a ring"), (2.0, "a red ring"), (2.0, "a ring hops")]
    lines = [
        head
        | {"seq": n, "epoch": epoch, "samples": [{"kind": "text", "clip_id": 3, "name": "a.mp4", "predicted": text}]}
        for n, (epoch, text) in enumerate(said, 1)
    ]
    (tmp_path / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    nobody = cast("Any", None)
    Supervisor(job_id, 1, tmp_path, nobody, nobody, nobody, 1.0).store_remaining()
    (sample,) = samples_of(job_of(job_id).summary)
    assert (sample.title, sample.trail) == ("a ring hops", ["Epoch 1: a ring"])
    with session_scope() as session:
        session.get_one(TrainingJob, job_id).epoch = 3.0
        _merge_summary(
            session,
            job_id,
            1,
            {"summary": {"samples": [{"kind": "text", "clip_id": 3, "predicted": "a red ring hops"}]}},
        )
    (sample,) = samples_of(job_of(job_id).summary)
    assert (sample.title, sample.trail) == ("a red ring hops", ["Epoch 2: a ring hops", "Epoch 1: a ring"])
