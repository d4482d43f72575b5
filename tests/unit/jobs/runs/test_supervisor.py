"""What the trainer notes of its run stays with the job: in its summary for the page, in its timeline."""

import json
from pathlib import Path
from typing import Any, cast

import pytest
from sqlmodel import select

from jobs.runs.attempt import _merge_summary
from jobs.runs.progress import store_earlier_records
from jobs.runs.supervisor import Supervisor
from orchestrator.domain.attempts import Checkpoint
from orchestrator.domain.metric_points import MetricPoint
from orchestrator.domain.training_jobs import ON_WORKER, JobEvent, JobStatus, TrainingJob
from orchestrator.domain.users import Actor
from orchestrator.services.attempts.folders import attempt_folder
from orchestrator.services.db import session_scope
from orchestrator.states.jobs.rows import notes_of
from orchestrator.states.jobs.samples import samples_of
from tests.fakes.checkpoints import save_checkpoint
from tests.studio import job_of
from tests.unit.services.training.test_lifecycle import make_job


@pytest.mark.parametrize(("status", "goes_on"), [(s, s in ON_WORKER) for s in JobStatus])
def test_a_run_that_no_longer_holds_its_job_ends(ada: Actor, tmp_path: Path, status: JobStatus, goes_on: bool) -> None:
    """A host that slept wakes to a job that was given back: same attempt, another state."""
    with session_scope() as session:
        job_id = make_job(session, ada, status)
    unused = cast("Any", None)
    assert Supervisor(job_id, 1, tmp_path, unused, unused, unused, 1.0)._store_measurements() is goes_on


def test_notes_stay_with_the_job(ada: Actor, tmp_path: Path) -> None:
    with session_scope() as session:
        job_id = make_job(session, ada, JobStatus.RUNNING)
    said = [("cache", "Seen once."), ("memory", "Half the batch."), ("memory", "A quarter of it.")]
    head = {"job": job_id, "attempt": 1, "t": "2026-01-01T00:00:00+00:00", "kind": "note"}
    lines = [head | {"seq": n, "name": name, "message": text} for n, (name, text) in enumerate(said, 1)]
    (tmp_path / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    unused = cast("Any", None)
    Supervisor(job_id, 1, tmp_path, unused, unused, unused, 1.0).store_remaining()
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
    unused = cast("Any", None)
    Supervisor(job_id, 1, tmp_path, unused, unused, unused, 1.0).store_remaining()
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


def test_progress_of_another_attempt_is_not_passed_on(ada: Actor, tmp_path: Path) -> None:
    with session_scope() as session:
        job_id = make_job(session, ada, JobStatus.RUNNING, 2)
    write_metrics(tmp_path, job_id, [(1, 90, 1.0), (2, 91, 1.0), (2, 92, 2.0), (3, 93, 3.0)])
    nobody = cast("Any", None)
    Supervisor(job_id, 2, tmp_path, nobody, nobody, nobody, 1.0).store_remaining()
    with session_scope() as session:
        points = session.exec(select(MetricPoint)).all()
        assert sorted((point.step, point.value) for point in points) == [(91, 1.0), (92, 2.0)]
    assert (job_of(job_id).step, job_of(job_id).summary.loss) == (92, 2.0)


def test_records_of_an_earlier_attempt_that_the_database_never_got_are_stored_once(ada: Actor, tmp_path: Path) -> None:
    """The database was away until the first attempt had ended; its records came over with its folder."""
    with session_scope() as session:
        job_id = make_job(session, ada, JobStatus.STARTING, 2)
        session.get_one(TrainingJob, job_id).step = 1
    write_metrics(tmp_path, job_id, [(1, 1, 5.0), (1, 2, 4.0)])
    end = 0
    for _ in range(2):
        with session_scope() as session:
            end = store_earlier_records(session, job_id, 2, tmp_path)
    assert end == (tmp_path / "metrics.jsonl").stat().st_size
    with session_scope() as session:
        assert [(point.step, point.value) for point in session.exec(select(MetricPoint))] == [(1, 5.0), (2, 4.0)]
    assert (job_of(job_id).step, job_of(job_id).summary.loss) == (1, 4.0)


def test_a_checkpoint_counts_as_soon_as_it_is_seen(ada: Actor, home: Path) -> None:
    with session_scope() as session:
        job_id = make_job(session, ada, JobStatus.RUNNING)
    nobody = cast("Any", None)
    supervisor = Supervisor(job_id, 1, attempt_folder(job_id, 1), nobody, nobody, nobody, 1.0)
    for step in (4, 8, 12):
        save_checkpoint(job_id, 1, step)
        supervisor._next_store_at = 0.0
        assert supervisor._store_measurements()
    with session_scope() as session:
        assert sorted(session.exec(select(Checkpoint.step))) == [8, 12]


def write_metrics(folder: Path, job_id: int, rows: list[tuple[int, int, float]]) -> None:
    """Records of a loss: (attempt, step, value) each."""
    head = {"job": job_id, "t": "2026-01-01T00:00:00+00:00", "kind": "metric", "epoch": 1.0, "total": 100}
    lines = [
        head | {"attempt": attempt, "seq": seq, "step": step, "phase": "train", "values": {"loss": value}}
        for seq, (attempt, step, value) in enumerate(rows, 1)
    ]
    (folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
