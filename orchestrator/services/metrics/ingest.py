"""Brings the trainer's `metrics.jsonl` into SQL, in batches; reading it again changes nothing."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlmodel import Session

from orchestrator.domain.live_records import MetricRecord, RunRecord, unpack_run_record
from orchestrator.domain.metric_points import ROLLUP_STEPS, MetricPoint
from orchestrator.domain.run_summary import Prediction, RunSummary, best_name
from orchestrator.domain.tasks import METRICS
from orchestrator.services.metrics.rollups import roll_up

_CHUNK_BYTES = 4 * 2**20
_ROWS = 100
"""Rows an INSERT: 7 columns each, below SQLite's limit on parameters even on old builds (999)."""
_MAX_TRAIL = 20
"""Evaluations whose predictions are kept with a sample."""
_BEST = {"eval_loss": min} | {name: max if metric.more_is_better else min for name, metric in METRICS.items()}


@dataclass(slots=True)
class BatchSummary:
    """What a batch of records says about its job."""

    step: int = 0
    total: int = 0
    epoch: float = 0.0
    values: dict[str, float] = field(default_factory=dict)
    """The latest value of each series."""


class MetricsFile:
    """Reads `metrics.jsonl` as it grows. What was read counts only once `settle` says that it is in SQL."""

    def __init__(self, path: Path, start: int = 0) -> None:
        """
        Args:
            start: bytes at the beginning that are not read.
        """
        self._path, self._offset, self._settled = path, start, start

    def settle(self) -> None:
        """What was read is in SQL."""
        self._settled = self._offset

    def rewind(self) -> None:
        """Reads again what was read since the last `settle`."""
        self._offset = self._settled

    @property
    def position(self) -> int:
        """Bytes read so far."""
        return self._offset

    def read(self) -> list[RunRecord]:
        """The records written since the last read, at most some megabytes of them; a half-written line waits."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._offset)
                raw = file.read(_CHUNK_BYTES)
        except FileNotFoundError:
            return []
        complete = raw[: raw.rfind(b"\n") + 1]
        self._offset += len(complete)
        return [record for line in complete.splitlines() if (record := unpack_run_record(line)) is not None]


def store(session: Session, job_id: int, records: Sequence[RunRecord]) -> BatchSummary:
    """Writes the metric records of one job to SQL; storing them again changes nothing."""
    batch = BatchSummary()
    points: dict[tuple[str, int], dict[str, Any]] = {}
    for record in records:
        if record["job"] != job_id or not (record["kind"] == "metric" or record["kind"] == "progress"):
            continue
        batch.step, batch.epoch = record["step"], record["epoch"]
        batch.total = record["total"] or batch.total
        if record["kind"] == "metric":
            points |= {(point["series"], point["step"]): point for point in _points(record)}
            batch.values |= {name: float(value) for name, value in record["values"].items() if value is not None}
    rows = list(points.values())
    for start in range(0, len(rows), _ROWS):
        _upsert(session, rows[start : start + _ROWS])
    roll_up(session, job_id, {(series, step // ROLLUP_STEPS) for series, step in points})
    return batch


def merge_summary(summary: RunSummary, batch: BatchSummary, eta_s: float | None = None) -> RunSummary:
    """The job's summary with the batch's latest values, the best values so far, and the seconds to go."""
    values = dict(batch.values)
    for name, better in _BEST.items():
        if name in batch.values:
            best = summary.best(name)
            values[best_name(name)] = batch.values[name] if best is None else better(best, batch.values[name])
    return summary.merged(RunSummary.of_values(values)).merged(RunSummary(eta_s=eta_s))


def with_prediction_history(summary: RunSummary, samples: Sequence[Prediction], epoch: float) -> RunSummary:
    """The summary with the samples of the evaluation at `epoch`, each with what was predicted at the earlier ones."""
    trails = {row.key: row.trail for row in summary.samples}
    rows = []
    for row in samples:
        # A run that was resumed from a checkpoint evaluates the epochs since then a second time.
        trail = [step for step in trails.get(row.key, []) if step[0] < epoch]
        rows.append(row.merged(Prediction(trail=[*trail, (epoch, row.answer(summary.task))][-_MAX_TRAIL:])))
    return summary.merged(RunSummary(samples=rows))


def _points(record: MetricRecord) -> list[dict[str, Any]]:
    """The rows of a metric record."""
    return [
        {
            "job_id": record["job"],
            "series": name[:48],
            "step": record["step"],
            "value": float(value),
            "epoch": record["epoch"],
            "seq": record["seq"],
            "at_ms": _milliseconds(record["t"]),
        }
        for name, value in record["values"].items()
        if value is not None
    ]


def _upsert(session: Session, rows: list[dict[str, Any]]) -> None:
    insert = postgres_insert if session.get_bind().dialect.name == "postgresql" else sqlite_insert
    statement = insert(MetricPoint).values(rows)
    fresh = {name: statement.excluded[name] for name in ("value", "epoch", "seq", "at_ms")}
    session.exec(statement.on_conflict_do_update(index_elements=["job_id", "series", "step"], set_=fresh))


def _milliseconds(t: str) -> int:
    try:
        return int(datetime.fromisoformat(t).timestamp() * 1000)
    except ValueError:
        return 0
