"""How far a training job is: the progress card, from the ledger or from a live record."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from orchestrator.services.training.rows import JobRow
from orchestrator.states.shared import formatting
from orchestrator.states.jobs.rows import number


@dataclass(frozen=True, slots=True)
class Progress:
    """The numbers of the progress card."""

    share: float = 0.0
    percent: str = "0"
    step: str = "0"
    total: str = ""
    epoch: str = "0"
    epochs: str = ""
    elapsed: str = ""
    left: str = ""
    done_at: str = ""
    """ISO time, "" when unknown."""
    phase: str = ""
    to_go: int = 0


def progress_of(
    step: int,
    total: int,
    epoch: float,
    epochs: int,
    *,
    started: datetime | None,
    finished: datetime | None = None,
    eta_s: float | None = None,
    share: float | None = None,
    phase: str = "",
) -> Progress:
    """The progress card at this moment."""
    done = share if share is not None else min(1.0, step / total) if total else 0.0
    until = finished or datetime.now(UTC)
    return Progress(
        share=round(done, 4),
        percent=formatting.percent(done).removesuffix(f"{formatting.NARROW}%"),
        step=formatting.count(step),
        total=formatting.count(total) if total else "",
        epoch=f"{min(epoch, epochs) if epochs else epoch:.1f}".removesuffix(".0"),
        epochs=str(epochs) if epochs else "",
        elapsed=formatting.duration((until - started).total_seconds()) if started else "",
        left=formatting.duration(eta_s),
        done_at=formatting.iso(until + timedelta(seconds=eta_s)) if eta_s is not None else "",
        phase=phase,
        to_go=max(0, total - step),
    )


def progress_of_row(row: JobRow) -> Progress:
    """The progress card as the ledger knows it."""
    return progress_of(
        row.step,
        row.total_steps,
        row.epoch,
        row.epochs,
        started=row.started_at,
        finished=row.finished_at,
        eta_s=row.eta_s,
        share=row.progress,
        phase=str(row.summary.get("phase") or ""),
    )


def progress_of_record(record: Mapping[str, Any], epochs: int, started: datetime | None) -> Progress:
    """The progress card after a live record; the time left is told by the pace so far when the record does not."""
    step, total = int(record.get("step") or 0), int(record.get("total") or 0)
    left = number(record.get("eta_s"))
    if left is None and started is not None and 0 < step <= total:
        left = (datetime.now(UTC) - started).total_seconds() / step * (total - step)
    return progress_of(step, total, float(record.get("epoch") or 0.0), epochs, started=started, eta_s=left)
