"""A job's curves without a hole: what SQL holds, then the newest records that are still only in the job's stream."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import redis
import structlog
from sqlalchemy import func
from sqlmodel import Session, col, select

from orchestrator.domain.letterbox import job_stream
from orchestrator.domain.metrics import MetricPoint
from orchestrator.domain.records import unpack
from orchestrator.domain.users import Actor
from orchestrator.services.metrics.downsample import min_max
from orchestrator.services.metrics.rows import History
from orchestrator.services.redis import connect
from orchestrator.services.training.jobs import owned_job

log = structlog.get_logger()
MAX_POINTS = 5_000
_CHUNK = 500


def history(
    session: Session,
    actor: Actor,
    job_id: int,
    series: Iterable[str] = (),
    points: int = 1_000,
    after_seq: int = 0,
) -> History:
    """The job's curves.

    Args:
        series: names to return; none means all.
        points: at most about this many a series; each bucket keeps its lowest and highest, so no spike is lost.
        after_seq: only records newer than this one: what a page asks for when it sees a gap.

    Raises:
        NotFound: not the actor's job.
    """
    job = owned_job(session, actor, job_id)
    wanted = frozenset(series)
    curves = _from_sql(session, job_id, wanted, after_seq)
    newest = select(func.max(MetricPoint.seq)).where(MetricPoint.job_id == job_id)
    sql_seq = session.exec(newest).one() or 0
    last_seq = max(sql_seq, after_seq)
    for record in _tail(job_id, last_seq):
        last_seq = max(last_seq, record["seq"])
        if record.get("kind") != "metric":
            continue
        for name, value in record.get("values", {}).items():
            if value is not None and (not wanted or name in wanted):
                curves.setdefault(name, {})[int(record["step"])] = float(value)
    bounded = max(10, min(points, MAX_POINTS))
    return History(
        {name: min_max([[s, v] for s, v in sorted(curve.items())], bounded) for name, curve in curves.items()},
        last_seq,
        job.attempt,
    )


def latest(session: Session, job_ids: Iterable[int], series: str, points: int) -> dict[int, list[list[float]]]:
    """The curve of one series for several jobs, thinned to `points`: what a sparkline draws."""
    ids = list(job_ids)
    if not ids:
        return {}
    statement = (
        select(MetricPoint.job_id, MetricPoint.step, MetricPoint.value)
        .where(col(MetricPoint.job_id).in_(ids), MetricPoint.series == series)
        .order_by(col(MetricPoint.job_id), col(MetricPoint.step))
    )
    curves: dict[int, list[list[float]]] = {}
    for job_id, step, value in session.exec(statement):
        curves.setdefault(job_id, []).append([step, value])
    return {job_id: min_max(curve, points) for job_id, curve in curves.items()}


def _from_sql(session: Session, job_id: int, wanted: frozenset[str], after_seq: int) -> dict[str, dict[int, float]]:
    statement = select(MetricPoint.series, MetricPoint.step, MetricPoint.value).where(MetricPoint.job_id == job_id)
    if wanted:
        statement = statement.where(col(MetricPoint.series).in_(wanted))
    if after_seq:
        statement = statement.where(MetricPoint.seq > after_seq)
    curves: dict[str, dict[int, float]] = {}
    for name, step, value in session.exec(statement):
        curves.setdefault(name, {})[step] = value
    return curves


@lru_cache(maxsize=1)
def _client() -> redis.Redis:
    return connect(retries=0, socket_timeout=2.0)


def _tail(job_id: int, after_seq: int) -> list[dict[str, Any]]:
    """The stream's records newer than `after_seq`, oldest first; none when Redis is away (SQL follows in a second)."""
    found: list[dict[str, Any]] = []
    end = "+"
    try:
        while True:
            chunk: Any = _client().xrevrange(job_stream(job_id), max=end, count=_CHUNK)
            for _, fields in chunk:
                record = unpack(fields.get(b"d", b""))
                if record is None or not record.get("seq"):
                    continue  # a status line: it has no number of its own
                if record["seq"] <= after_seq:
                    return found[::-1]
                found.append(record)
            if len(chunk) < _CHUNK:
                return found[::-1]
            end = f"({chunk[-1][0].decode()}"
    except redis.RedisError as error:
        log.info("history.no_tail", job=job_id, error=str(error))
        return found[::-1]
