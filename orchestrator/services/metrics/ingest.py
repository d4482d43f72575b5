"""Brings the trainer's own file of measurements into SQL, in batches; reading it again changes nothing."""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlmodel import Session

from orchestrator.domain.live_records import unpack
from orchestrator.domain.metric_points import ROLLUP_STEPS, MetricPoint
from orchestrator.domain.run_samples import sample_answer, sample_kind
from orchestrator.domain.tasks import METRICS
from orchestrator.services.metrics.rollups import roll_up

_CHUNK = 4 * 2**20
_ROWS = 100
"""Rows an INSERT: 7 columns each, below SQLite's limit on parameters even on old builds (999)."""
_TRAIL = 20
"""Evaluations that a sample remembers."""
_BEST = {"eval_loss": min} | {name: max if metric.more_is_better else min for name, metric in METRICS.items()}


@dataclass(slots=True)
class BatchSummary:
    """What a batch of records says about its job."""

    step: int = 0
    total: int = 0
    epoch: float = 0.0
    eta_s: float | None = None
    values: dict[str, float] = field(default_factory=dict)
    """The latest value of each series."""


class MetricsFile:
    """Reads `metrics.jsonl` as it grows."""

    def __init__(self, path: Path) -> None:
        self._path, self._offset, self._settled = path, 0, 0

    def settle(self) -> None:
        """What was read is safe in SQL."""
        self._settled = self._offset

    def rewind(self) -> None:
        """What was read since the last `settle` is read again."""
        self._offset = self._settled

    @property
    def position(self) -> int:
        return self._offset

    def read(self) -> list[dict[str, Any]]:
        """The records written since the last read, at most some megabytes of them; a half-written line waits."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._offset)
                raw = file.read(_CHUNK)
        except FileNotFoundError:
            return []
        whole = raw[: raw.rfind(b"\n") + 1]
        self._offset += len(whole)
        return [record for line in whole.splitlines() if (record := unpack(line)) is not None]


def store(session: Session, job_id: int, records: list[dict[str, Any]]) -> BatchSummary:
    """Writes the metric records of one job and sums the batch up."""
    facts = BatchSummary()
    points: dict[tuple[str, int], dict[str, Any]] = {}
    for record in records:
        if record["job"] != job_id or record.get("kind") not in ("metric", "progress"):
            continue
        step, epoch = int(record.get("step") or 0), float(record.get("epoch") or 0.0)
        facts.step, facts.epoch = step, epoch
        facts.total = int(record.get("total") or facts.total)
        facts.eta_s = record.get("eta_s", facts.eta_s)
        at_ms = _milliseconds(record.get("t"))
        for name, value in (record.get("values") or {}).items():
            if not isinstance(value, int | float):
                continue
            facts.values[name] = float(value)
            points[name, step] = {
                "job_id": job_id,
                "series": str(name)[:48],
                "step": step,
                "value": float(value),
                "epoch": epoch,
                "seq": int(record.get("seq") or 0),
                "at_ms": at_ms,
            }
    rows = list(points.values())
    for start in range(0, len(rows), _ROWS):
        _upsert(session, rows[start : start + _ROWS])
    roll_up(session, job_id, {(str(name)[:48], step // ROLLUP_STEPS) for name, step in points})
    return facts


def merge_summary(summary: dict[str, Any], facts: BatchSummary) -> dict[str, Any]:
    """The job's summary with the batch's latest and best values."""
    merged = {**summary, **facts.values, "eta_s": facts.eta_s}
    for name, better in _BEST.items():
        if name in facts.values:
            known = summary.get(f"best_{name}")
            merged[f"best_{name}"] = facts.values[name] if known is None else better(known, facts.values[name])
    return merged


def with_prediction_history(
    rows: list[dict[str, Any]], epoch: float, before: list[dict[str, Any]], task: Any
) -> list[dict[str, Any]]:
    """Samples, each with what was made of its clip at the evaluations so far: `trail`, [[epoch, answer], ...]."""
    known = {row.get("clip_id"): list(row.get("trail") or []) for row in before}
    told = []
    for row in rows:
        answer = sample_answer(row, sample_kind(row, task))
        # A run that goes on from a checkpoint tells the epochs since then once more.
        trail = [step for step in known.get(row.get("clip_id"), []) if step[0] < epoch]
        told.append(row | {"trail": [*trail, [epoch, answer]][-_TRAIL:]})
    return told


def _upsert(session: Session, rows: list[dict[str, Any]]) -> None:
    insert = postgres_insert if session.get_bind().dialect.name == "postgresql" else sqlite_insert
    statement = insert(MetricPoint).values(rows)
    fresh = {name: statement.excluded[name] for name in ("value", "epoch", "seq", "at_ms")}
    session.exec(statement.on_conflict_do_update(index_elements=["job_id", "series", "step"], set_=fresh))


def _milliseconds(t: Any) -> int:
    try:
        return int(datetime.fromisoformat(str(t)).timestamp() * 1000)
    except ValueError:
        return 0
