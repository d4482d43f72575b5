"""A job's curves without a gap: what SQL holds, then the newest records, which only the job's stream has."""

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
from orchestrator.services.attempts.ended import is_ended
from orchestrator.services.metrics.curves import Curve, Window, read_curves, read_newer
from orchestrator.services.metrics.downsample import min_max
from orchestrator.services.metrics.rollups import newest_seq
from orchestrator.services.metrics.rows import History
from orchestrator.services.redis import connect_quick

log = structlog.get_logger()
MAX_POINTS = 5_000
_CHUNK_RECORDS = 500


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
    """The curves of a job.

    Args:
        series: names to return; none means all.
        points: at most about so many a series, downsampled by `min_max`.
        after_seq: only records newer than this one: what a page reads after a gap.
        first_step: with `last_step`, only this range: what a zoomed chart shows.

    Raises:
        NotFound: not the actor's job.
    """
    job = owned_job(session, actor, job_id)
    names, window = frozenset(series), Window(first_step, last_step)
    if after_seq:
        curves = read_newer(session, job_id, names, after_seq)
    else:
        curves = read_curves(session, job_id, names, window)
    last_seq = max(newest_seq(session, job_id), after_seq)
    # The stream may hold what a run still sends that was cut off and does not know that its attempt has ended.
    first_attempt = job.attempt + is_ended(session, job_id, job.attempt)
    for record in _stream_records(job_id, last_seq):
        if record["attempt"] < first_attempt:
            continue
        last_seq = max(last_seq, record["seq"])
        if record["kind"] == "metric":
            _add(curves, record, names, window)
    bounded = max(10, min(points, MAX_POINTS))
    return History({name: _thin(curve, bounded) for name, curve in curves.items()}, last_seq, job.attempt)


def _add(curves: dict[str, Curve], record: MetricRecord, names: frozenset[str], window: Window) -> None:
    """Adds a record that SQL does not have yet."""
    step = record["step"]
    if step < (window.first or 0) or (window.last is not None and step > window.last):
        return
    for name, value in record["values"].items():
        if value is not None and (not names or name in names):
            curves.setdefault(name, {})[step] = float(value)


def _thin(curve: Curve, points: int) -> list[list[float]]:
    """Downsamples, and rounds to six digits: more than a screen shows, and half as long as JSON."""
    return [
        [step, float(f"{value:.6g}")] for step, value in min_max([[s, v] for s, v in sorted(curve.items())], points)
    ]


def latest(session: Session, job_ids: Iterable[int], series: str, points: int) -> dict[int, list[list[float]]]:
    """The curve of one series for each of several jobs, downsampled to `points`, for sparklines."""
    ids = list(job_ids)
    if not ids:
        return {}
    curves = {job_id: read_curves(session, job_id, (series,), Window()).get(series) for job_id in ids}
    return {job_id: _thin(curve, points) for job_id, curve in curves.items() if curve}


@lru_cache(maxsize=1)
def _client() -> redis.Redis:
    return connect_quick(retries=0)


def _stream_records(job_id: int, after_seq: int) -> list[LiveRecord]:
    """The records in the job's stream newer than `after_seq`, the oldest first; [] when Redis is away."""
    records: list[LiveRecord] = []
    end = "+"
    try:
        while True:
            chunk: Any = _client().xrevrange(job_stream(job_id), max=end, count=_CHUNK_RECORDS)
            for _, fields in chunk:
                record = unpack(fields.get(b"d", b""))
                if record is None or not record["seq"]:
                    continue  # only the trainer numbers its records
                if record["seq"] <= after_seq:
                    return records[::-1]
                records.append(record)
            if len(chunk) < _CHUNK_RECORDS:
                return records[::-1]
            end = f"({chunk[-1][0].decode()}"
    except redis.RedisError as error:
        log.info("history.stream_unavailable", job=job_id, error=str(error))
        return records[::-1]
