"""Reads curves from SQL: long ones from their rollups, short ones and the newest points as they were measured."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import func
from sqlmodel import Session, col, select

from orchestrator.domain.metric_points import ROLLUP_STEPS, MetricPoint, MetricRollup

MAX_RAW_POINTS = 6_000
"""A curve with at most so many points is read point by point."""
Curve = dict[int, float]


@dataclass(frozen=True, slots=True)
class Window:
    """A range of steps; None: no limit."""

    first: int | None = None
    last: int | None = None


def read_curves(session: Session, job_id: int, series: Iterable[str], window: Window) -> dict[str, Curve]:
    """The named series, or all, inside the window; long ones as the lowest and highest point of each rollup."""
    names = frozenset(series)
    sizes = select(MetricRollup.series, func.sum(MetricRollup.points)).where(*_buckets(job_id, window))
    if names:
        sizes = sizes.where(col(MetricRollup.series).in_(names))
    curves: dict[str, Curve] = {}
    short: list[str] = []
    for name, points in session.exec(sizes.group_by(col(MetricRollup.series))).all():
        if points <= MAX_RAW_POINTS:
            short.append(name)
        else:
            curves[name] = _from_rollups(session, job_id, name, window)
    return curves | _from_points(session, job_id, short, window)


def read_newer(session: Session, job_id: int, series: Iterable[str], after_seq: int) -> dict[str, Curve]:
    """Every point of records newer than `after_seq`; only rollups that have such records are searched."""
    names = frozenset(series)
    newer = select(MetricRollup.series, func.min(MetricRollup.bucket)).where(
        MetricRollup.job_id == job_id, MetricRollup.seq > after_seq
    )
    curves: dict[str, Curve] = {}
    for name, bucket in session.exec(newer.group_by(col(MetricRollup.series))).all():
        if names and name not in names:
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


def _from_rollups(session: Session, job_id: int, series: str, window: Window) -> Curve:
    columns = (MetricRollup.low_step, MetricRollup.low, MetricRollup.high_step, MetricRollup.high)
    statement = select(*columns).where(*_buckets(job_id, window), MetricRollup.series == series)
    curve: Curve = {}
    for low_step, low, high_step, high in session.exec(statement):
        curve[low_step], curve[high_step] = low, high
    for step, value in _ends(session, job_id, series, window):
        curve[step] = value
    return curve


def _ends(session: Session, job_id: int, series: str, window: Window) -> list[tuple[int, float]]:
    """The first and the last point, which the rollups may lack."""
    points = select(MetricPoint.step, MetricPoint.value).where(*_points(job_id, window), MetricPoint.series == series)
    first = session.exec(points.order_by(col(MetricPoint.step)).limit(1)).all()
    last = session.exec(points.order_by(col(MetricPoint.step).desc()).limit(1)).all()
    return [*first, *last]


def _from_points(session: Session, job_id: int, series: Sequence[str], window: Window) -> dict[str, Curve]:
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
