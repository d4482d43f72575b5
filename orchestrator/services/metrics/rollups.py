"""Stores the lowest and highest point of each range of steps, so that drawing a long curve reads little."""

from collections.abc import Iterable
from itertools import groupby
from typing import Any

from sqlalchemy import delete, func
from sqlmodel import Session, col, insert, select

from orchestrator.domain.metric_points import ROLLUP_STEPS, MetricPoint, MetricRollup

_ROWS = 90
"""Rows an INSERT: 10 columns each, below SQLite's limit on parameters even on old builds (999)."""


def roll_up(session: Session, job_id: int, touched: Iterable[tuple[str, int]]) -> None:
    """Recomputes the rollups of these (series, bucket) pairs from their points."""
    rows: list[dict[str, Any]] = []
    for series, buckets in groupby(sorted(touched), key=lambda pair: pair[0]):
        numbers = [bucket for _, bucket in buckets]
        first, last = numbers[0] * ROLLUP_STEPS, (numbers[-1] + 1) * ROLLUP_STEPS - 1
        statement = (
            select(MetricPoint.step, MetricPoint.value, MetricPoint.seq)
            .where(
                MetricPoint.job_id == job_id,
                MetricPoint.series == series,
                col(MetricPoint.step).between(first, last),
            )
            .order_by(col(MetricPoint.step))
        )
        stored = session.exec(statement).all()
        for bucket, points in groupby(stored, key=lambda point: point[0] // ROLLUP_STEPS):
            rows.append(_rollup(job_id, series, bucket, list(points)))
        outdated = delete(MetricRollup).where(
            col(MetricRollup.job_id) == job_id,
            col(MetricRollup.series) == series,
            col(MetricRollup.bucket).between(numbers[0], numbers[-1]),
        )
        session.exec(outdated)
    for start in range(0, len(rows), _ROWS):
        session.exec(insert(MetricRollup).values(rows[start : start + _ROWS]))


def _rollup(job_id: int, series: str, bucket: int, points: list[Any]) -> dict[str, Any]:
    low, high = min(points, key=lambda point: point[1]), max(points, key=lambda point: point[1])
    return {
        "job_id": job_id,
        "series": series,
        "bucket": bucket,
        "low": low[1],
        "low_step": low[0],
        "high": high[1],
        "high_step": high[0],
        "points": len(points),
        "seq": max(point[2] for point in points),
    }


def newest_seq(session: Session, job_id: int) -> int:
    """The highest record number that SQL has of a job."""
    return session.exec(select(func.max(MetricRollup.seq)).where(MetricRollup.job_id == job_id)).one() or 0
