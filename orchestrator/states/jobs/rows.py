"""The rows of the job pages: a job in the list and at the head of its page, its log and its timeline."""

from dataclasses import dataclass
from typing import Any

from orchestrator.domain import formatting
from orchestrator.domain.failures import FailureKind
from orchestrator.domain.metric_definitions import figure
from orchestrator.domain.recipes import smaller_batch
from orchestrator.domain.run_summary import RunSummary
from orchestrator.domain.tasks import headline_in
from orchestrator.services.metrics.rows import LogRow
from orchestrator.services.training.rows import EventRow, JobRow
from orchestrator.states.shared.presentation import series_of

LEVELS = {"warning": "warn"}


@dataclass(frozen=True, slots=True)
class JobLine:
    """One row of the list."""

    id: int
    name: str
    series: int
    """Number of the job's chart colour, 1 to 7."""
    model: str
    dataset: str
    status: str
    active: bool
    share: float
    percent: str
    epochs: str
    loss: str
    started: str
    """ISO time, or "" while it waits."""
    created: str
    result: str = ""
    """The headline metric of its task; "" while it was not measured."""
    owner: str = ""
    """The owner's name, in an administrator's list of others' jobs; such a row has no link."""


@dataclass(frozen=True, slots=True)
class LiveCell:
    """What changes in a row while the job runs."""

    share: float
    percent: str
    epochs: str
    loss: str


@dataclass(frozen=True, slots=True)
class JobHead:
    """What the head of a job's page shows: name, base, dataset, status, and how it ended."""

    id: int = 0
    name: str = ""
    series: int = 1
    status: str = ""
    active: bool = False
    dataset_id: int = 0
    dataset: str = ""
    model_id: int = 0
    model: str = ""
    created: str = ""
    started: str = ""
    finished: str = ""
    ran: str = ""
    worker: str = ""
    attempt: int = 0
    error: str = ""
    error_details: str = ""
    priority: str = "normal"
    smaller_batch: int = 0
    """The batch size that may fit where the memory ran out; 0: a smaller one cannot help."""
    smaller_accumulation: int = 0
    contrasts: bool = False
    """It is trained with a contrastive loss over the batch, so that a smaller batch is another training."""
    lost_repeatedly: bool = False
    """It failed because its process was lost again and again."""
    memory_at_end: str = ""
    """Memory in use at the last sample."""
    sweep_id: int = 0


@dataclass(frozen=True, slots=True)
class EventLine:
    """One line of the timeline."""

    kind: str
    message: str
    at: str


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of the log, as the kit's log view takes it."""

    time: str
    """ISO time; the browser shows it in its own time zone."""
    level: str
    text: str


def job_line(row: JobRow, reader_id: int = 0) -> JobLine:
    """A row of the list, as the user `reader_id` sees it."""
    return JobLine(
        id=row.id,
        name=row.name,
        series=series_of(row.id),
        model=row.model_name,
        dataset=row.dataset_name,
        status=row.status,
        active=row.active,
        share=round(row.progress, 4),
        percent=formatting.percent(row.progress),
        epochs=epochs_text(row.epoch, row.epochs),
        loss=formatting.loss(row.summary.loss),
        started=formatting.iso(row.started_at),
        created=formatting.iso(row.created_at),
        result=_result_text(row.summary),
        owner=row.owner if row.owner_id != reader_id else "",
    )


def _result_text(summary: RunSummary) -> str:
    metric = headline_in(summary.values)
    value = summary.value(metric.name) if metric else None
    return figure(metric, value) if metric and value is not None else ""


def epochs_text(epoch: float, epochs: int) -> str:
    """Like "3.2 / 10"; whole numbers without a point."""
    done = f"{min(epoch, epochs) if epochs else epoch:.1f}".removesuffix(".0")
    return f"{done} / {epochs}" if epochs else done


def job_head(row: JobRow, memory: int = 0, contrasts: bool = False) -> JobHead:
    """The head of the job page.

    Args:
        memory: bytes in use at the last sample, or 0.
        contrasts: it is trained with a contrastive loss over the batch.
    """
    batch, accumulation = _smaller_batch(row, contrasts)
    ran = (row.finished_at - row.started_at).total_seconds() if row.finished_at and row.started_at else None
    return JobHead(
        id=row.id,
        name=row.name,
        series=series_of(row.id),
        status=row.status,
        active=row.active,
        dataset_id=row.dataset_id or 0,
        dataset=row.dataset_name,
        model_id=row.model_id or 0,
        model=row.model_name,
        created=formatting.iso(row.created_at),
        started=formatting.iso(row.started_at),
        finished=formatting.iso(row.finished_at),
        ran=formatting.duration(ran),
        worker=row.worker,
        attempt=row.attempt,
        error=row.error,
        error_details=row.error_details,
        priority=row.priority,
        smaller_batch=batch,
        smaller_accumulation=accumulation,
        contrasts=contrasts,
        lost_repeatedly=row.failure is FailureKind.MACHINE_LOST,
        memory_at_end=formatting.size(memory) if memory else "",
        sweep_id=row.sweep_id or 0,
    )


def _smaller_batch(row: JobRow, contrasts: bool) -> tuple[int, int]:
    """Batch size and accumulation to try where the memory ran out, or zeros; a contrastive loss needs two clips."""
    optim = row.recipe.get("optim") or {}
    batch, accumulation = int(optim.get("batch_size") or 1), int(optim.get("gradient_accumulation") or 1)
    smaller = smaller_batch(batch, accumulation) if row.failure is FailureKind.OUT_OF_MEMORY else None
    return smaller if smaller and not (contrasts and smaller[0] == 1) else (0, 0)


def event_line(row: EventRow) -> EventLine:
    """A line of the timeline."""
    return EventLine(row.kind, row.message, formatting.iso(row.at))


def notes_of(summary: RunSummary) -> list[str]:
    """The trainer's notes about its run, one sentence each."""
    return list(summary.notes.values())


def log_row_line(row: LogRow) -> LogLine:
    """A log line read from the file."""
    return LogLine(row.at, LEVELS.get(row.level, row.level), row.message)


def number(value: Any) -> float | None:
    """A value of a summary or record as a float; None where it is no number."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
