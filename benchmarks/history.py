"""A job with a million metric points: server time of the first chart and of a zoom into it, and data sent."""

import gzip
import json
import statistics

from sqlmodel import insert

from benchmarks.ledger import ledger, milliseconds
from benchmarks.target import Target
from orchestrator.domain.metric_points import ROLLUP_STEPS, MetricPoint
from orchestrator.domain.training_jobs import JobStatus, TrainingJob
from orchestrator.domain.users import Actor
from orchestrator.services.db import session_scope
from orchestrator.services.metrics.history import history
from orchestrator.services.metrics.rollups import roll_up

TARGETS: dict[str, Target] = {"first_chart_ms": {"max": 300.0}, "first_chart_kb": {"max": 60.0}}
STEPS = 250_000
SERIES = ("loss", "learning_rate", "grad_norm", "samples_per_s")
_ROWS = 2_000


def run() -> dict[str, float]:
    """Milliseconds (median of 5) and kilobytes as they travel, before compression."""
    with ledger() as actor:
        job_id = _fill(actor)

        def first() -> str:
            with session_scope() as session:
                found = history(session, actor, job_id, ("loss", "eval_loss"))
            return json.dumps({"series": found.series, "last_seq": found.last_seq}, separators=(",", ":"))

        def full_curve() -> None:
            with session_scope() as session:
                history(session, actor, job_id, points=400)

        def zoom() -> None:
            with session_scope() as session:
                history(session, actor, job_id, ("loss",), 2_000, first_step=100_000, last_step=110_000)

        def gap() -> None:
            with session_scope() as session:
                history(session, actor, job_id, after_seq=STEPS - 10)

        text = first()
        return {
            "points": float(STEPS * len(SERIES)),
            "first_chart_ms": round(statistics.median(milliseconds(first, 5)), 1),
            "first_chart_kb": round(len(text) / 1000, 1),
            "first_chart_gzip_kb": round(len(gzip.compress(text.encode())) / 1000, 1),
            "all_series_ms": round(statistics.median(milliseconds(full_curve, 5)), 1),
            "zoom_ms": round(statistics.median(milliseconds(zoom, 5)), 1),
            "gap_ms": round(statistics.median(milliseconds(gap, 5)), 1),
        }


def _fill(actor: Actor) -> int:
    """A falling, noisy curve in each series."""
    with session_scope() as session:
        job = TrainingJob(owner_id=actor.user_id, name="long", dataset_name="d", model_name="m", idempotency_key="k")
        job.status = JobStatus.RUNNING
        session.add(job)
        session.flush()
        job_id = job.id or 0
    for name in SERIES:
        with session_scope() as session:
            for start in range(1, STEPS + 1, _ROWS):
                rows = [
                    {
                        "job_id": job_id,
                        "series": name,
                        "step": step,
                        "value": _value(step),
                        "seq": step,
                        "at_ms": 0,
                        "epoch": 0.0,
                    }
                    for step in range(start, start + _ROWS)
                ]
                session.connection().execute(insert(MetricPoint), rows)
            roll_up(session, job_id, {(name, bucket) for bucket in range(STEPS // ROLLUP_STEPS + 1)})
    return job_id


def _value(step: int) -> float:
    return 3.0 / (1 + step / 20_000) + (step * 7919 % 1000) / 4_000
