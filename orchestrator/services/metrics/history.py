"""A job's curves without a hole: what SQL holds, then the newest records that are still only in the job's stream."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import redis
import structlog
from sqlmodel import Session

from orchestrator.domain.live_records import LiveRecord, MetricRecord, unpack
from orchestrator.domain.redis_keys import job_stream
from orchestrator.domain.users import Actor
from orchestrator.services.access import owned_job
from orchestrator.services.metrics.curves import Curve, Window, read_curves, read_newer
from orchestrator.services.metrics.downsample import min_max
from orchestrator.services.metrics.rollups import newest_seq
from orchestrator.services.metrics.rows import History
from orchestrator.services.redis import connect

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
    first_step: int | None = None,
    last_step: int | None = None,
) -> History:
    """The job's curves.

    Args:
        series: names to return; none means all.
        points: at most about this many a series; each bucket keeps its lowest and highest, so no spike is lost.
        after_seq: only records newer than this one: what a page asks for when it sees a gap.
        first_step: with `last_step`, only this stretch: what a chart asks for when somebody zooms in.

    Raises:
        NotFound: not the actor's job.
    """
    job = owned_job(session, actor, job_id)
    wanted, window = frozenset(series), Window(first_step, last_step)
    if after_seq:
        curves = read_newer(session, job_id, wanted, after_seq)
    else:
        curves = read_curves(session, job_id, wanted, window)
    last_seq = max(newest_seq(session, job_id), after_seq)
    for record in _tail(job_id, last_seq):
        last_seq = max(last_seq, record["seq"])
        if record["kind"] == "metric":
            _add(curves, record, wanted, window)
    bounded = max(10, min(points, MAX_POINTS))
    return History({name: _thin(curve, bounded) for name, curve in curves.items()}, last_seq, job.attempt)


def _add(curves: dict[str, Curve], record: MetricRecord, wanted: frozenset[str], window: Window) -> None:
    """A record that SQL does not hold yet."""
    step = record["step"]
    if step < (window.first or 0) or (window.last is not None and step > window.last):
        return
    for name, value in record["values"].items():
        if value is not None and (not wanted or name in wanted):
            curves.setdefault(name, {})[step] = float(value)


def _thin(curve: Curve, points: int) -> list[list[float]]:
    """Six digits are more than a screen shows, and half of what a float takes on the way."""
    return [
        [step, float(f"{value:.6g}")] for step, value in min_max([[s, v] for s, v in sorted(curve.items())], points)
    ]


def latest(session: Session, job_ids: Iterable[int], series: str, points: int) -> dict[int, list[list[float]]]:
    """The curve of one series for several jobs, thinned to `points`: what a sparkline draws."""
    ids = list(job_ids)
    if not ids:
        return {}
    found = {job_id: read_curves(session, job_id, (series,), Window()).get(series) for job_id in ids}
    return {job_id: _thin(curve, points) for job_id, curve in found.items() if curve}


@lru_cache(maxsize=1)
def _client() -> redis.Redis:
    return connect(retries=0, socket_timeout=2.0)


def _tail(job_id: int, after_seq: int) -> list[LiveRecord]:
    """The stream's records newer than `after_seq`, oldest first; none when Redis is away (SQL follows in a second)."""
    found: list[LiveRecord] = []
    end = "+"
    try:
        while True:
            chunk: Any = _client().xrevrange(job_stream(job_id), max=end, count=_CHUNK)
            for _, fields in chunk:
                record = unpack(fields.get(b"d", b""))
                if record is None or not record["seq"]:
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
