"""Brings a trainer's records into the database: its curves, its job's summary and timeline."""

from collections.abc import Sequence
from pathlib import Path

from sqlmodel import Session

from orchestrator.domain.job_files import METRICS
from orchestrator.domain.live_records import RunRecord
from orchestrator.domain.run_summary import Prediction, RunSummary
from orchestrator.domain.training_jobs import TrainingJob
from orchestrator.services.metrics.ingest import MetricsFile, merge_summary, store, with_prediction_history
from orchestrator.services.metrics.rollups import newest_seq
from orchestrator.services.training.lifecycle import add_trainer_notes, report_progress


def keep_notes_and_samples(
    session: Session, job_id: int, attempt: int, records: Sequence[RunRecord], summary: RunSummary
) -> RunSummary:
    """Adds the trainer's notes to the job's timeline, and notes and samples to its summary."""
    notes = [(r["name"], r["message"]) for r in records if r["kind"] == "note"]
    samples = [r for r in records if r["kind"] == "samples"]
    for record in samples:
        predictions = [Prediction.from_json(row) for row in record["samples"]]
        summary = with_prediction_history(summary, predictions, record["epoch"])
    if notes:
        summary = summary.merged(RunSummary(notes={**summary.notes, **dict(notes)}))
    if notes or samples:
        add_trainer_notes(session, job_id, attempt, notes)
    return summary


def store_earlier_records(session: Session, job_id: int, attempt: int, folder: Path) -> int:
    """Stores what earlier attempts recorded and the database never got, as when it was away until their end.

    Args:
        folder: of the attempt that begins; its records are those that the earlier attempts wrote before their end.

    Returns:
        The bytes of its file that hold them: the attempt's own records follow.
    """
    file, stored = MetricsFile(folder / METRICS), newest_seq(session, job_id)
    while records := file.read():
        new = [r for r in records if r["seq"] > stored and r["attempt"] < attempt]
        if not new:
            continue
        job = session.get_one(TrainingJob, job_id, populate_existing=True)
        summary = merge_summary(job.summary, store(session, job_id, new))
        summary = keep_notes_and_samples(session, job_id, attempt, new, summary)
        report_progress(session, job_id, attempt, summary=summary)
    return file.position
