"""Reads curves from SQL: whole ones from their rollups, short stretches and the newest points as they were measured."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import func
from sqlmodel import Session, col, select

from orchestrator.domain.metric_points import ROLLUP_STEPS, MetricPoint, MetricRollup

RAW = 6_000
"""A stretch with at most this many points is read point by point."""
Curve = dict[int, float]


@dataclass(frozen=True, slots=True)
class Window:
    """Which steps; None: open."""

    first: int | None = None
    last: int | None = None


def read_curves(session: Session, job_id: int, series: Iterable[str], window: Window) -> dict[str, Curve]:
    """The named series, or all, inside the window; long ones as the lowest and highest point of each rollup."""
    wanted = frozenset(series)
    sizes = select(MetricRollup.series, func.sum(MetricRollup.points)).where(*_buckets(job_id, window))
    if wanted:
        sizes = sizes.where(col(MetricRollup.series).in_(wanted))
    curves: dict[str, Curve] = {}
    short: list[str] = []
    for name, points in session.exec(sizes.group_by(col(MetricRollup.series))).all():
        if points <= RAW:
            short.append(name)
        else:
            curves[name] = _rolled(session, job_id, name, window)
    return curves | _raw(session, job_id, short, window)


def read_newer(session: Session, job_id: int, series: Iterable[str], after_seq: int) -> dict[str, Curve]:
    """Every point of a record newer than `after_seq`; only the rollups that hold such records are looked into."""
    wanted = frozenset(series)
    fresh = select(MetricRollup.series, func.min(MetricRollup.bucket)).where(
        MetricRollup.job_id == job_id, MetricRollup.seq > after_seq
    )
    curves: dict[str, Curve] = {}
    for name, bucket in session.exec(fresh.group_by(col(MetricRollup.series))).all():
        if wanted and name not in wanted:
            continue
        points = select(MetricPoint.step, MetricPoint.value).where(
            MetricPoint.job_id == job_id,
            MetricPoint.series == name,
            MetricPoint.step >= bucket * ROLLUP_STEPS,
            MetricPoint.seq > after_seq,
        )
        curves[name] = dict(session.exec(points).all())
    return curves


def _buckets(job_id: int, window: Window) -> list:
    where = [col(MetricRollup.job_id) == job_id]
    if window.first is not None:
        where.append(col(MetricRollup.bucket) >= window.first // ROLLUP_STEPS)
    if window.last is not None:
        where.append(col(MetricRollup.bucket) <= window.last // ROLLUP_STEPS)
    return where


def _rolled(session: Session, job_id: int, series: str, window: Window) -> Curve:
    columns = (MetricRollup.low_step, MetricRollup.low, MetricRollup.high_step, MetricRollup.high)
    statement = select(*columns).where(*_buckets(job_id, window), MetricRollup.series == series)
    curve: Curve = {}
    for low_step, low, high_step, high in session.exec(statement):
        curve[low_step], curve[high_step] = low, high
    for step, value in _ends(session, job_id, series, window):
        curve[step] = value
    return curve


def _ends(session: Session, job_id: int, series: str, window: Window) -> list[tuple[int, float]]:
    """The first and the last point: a curve begins and ends where it was measured."""
    points = select(MetricPoint.step, MetricPoint.value).where(*_points(job_id, window), MetricPoint.series == series)
    first = session.exec(points.order_by(col(MetricPoint.step)).limit(1)).all()
    last = session.exec(points.order_by(col(MetricPoint.step).desc()).limit(1)).all()
    return [*first, *last]


def _raw(session: Session, job_id: int, series: Sequence[str], window: Window) -> dict[str, Curve]:
    curves: dict[str, Curve] = {}
    for name in series:
        points = select(MetricPoint.step, MetricPoint.value)
        points = points.where(*_points(job_id, window), MetricPoint.series == name)
        if curve := dict(session.exec(points).all()):
            curves[name] = curve
    return curves


def _points(job_id: int, window: Window) -> list:
    where = [col(MetricPoint.job_id) == job_id]
    if window.first is not None:
        where.append(col(MetricPoint.step) >= window.first)
    if window.last is not None:
        where.append(col(MetricPoint.step) <= window.last)
    return where
