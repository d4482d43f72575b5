"""What job pages show of a training job: frozen rows with their words ready."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from orchestrator.domain.errors import EVEN_WITH
from orchestrator.domain.measures import MEASURES, Measure, headline
from orchestrator.services.metrics.rows import LogRow
from orchestrator.services.training.lifecycle import GIVEN_UP
from orchestrator.services.training.rows import EventRow, JobRow
from orchestrator.states import words
from orchestrator.states.job_samples import pair_of

LEVELS = {"warning": "warn"}


@dataclass(frozen=True, slots=True)
class JobLine:
    """One row of the list."""

    id: int
    name: str
    hue: int
    """Number of the job's own colour, 1 to 7."""
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
    owner: str = ""
    """Whose it is, in an administrator's list of others' jobs; such a row leads nowhere."""


@dataclass(frozen=True, slots=True)
class LiveCell:
    """What changes in a row while the job runs."""

    share: float
    percent: str
    epochs: str
    loss: str


@dataclass(frozen=True, slots=True)
class JobHead:
    """Who a job is, where it stands, how it ended."""

    id: int = 0
    name: str = ""
    hue: int = 1
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
    out_of_memory: bool = False
    """True: half the batch may do."""
    contrasts: bool = False
    """True: it learns by telling the clips of a batch apart, so that half the batch trains something else."""
    taken: bool = False
    """True: it failed because its machine was taken from it again and again."""
    memory_at_end: str = ""
    """What the run held when it was last looked at."""
    sweep_id: int = 0


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
    """ISO time; the view shows the reader's own clock."""
    level: str
    text: str


@dataclass(frozen=True, slots=True)
class ConfusionCell:
    """How many clips of one class were called another."""

    clips: int
    right: bool
    pair: str
    """Names the cell (`job_samples.pair_of`)."""


@dataclass(frozen=True, slots=True)
class ConfusionRow:
    """One true class: how many of its held-out clips were called what."""

    label: str
    cells: list[ConfusionCell]
    right: str
    """Share of the class's clips that were called right."""


@dataclass(frozen=True, slots=True)
class Reached:
    """One measure of a finished run, beside what the untouched base (or guessing) reaches."""

    label: str
    now: str
    before: str


@dataclass(frozen=True, slots=True)
class Result:
    """What a finished run reached."""

    known: bool = False
    accuracy: str = ""
    loss: str = ""
    clips: str = ""
    """Such as "R@1 on 48 held-out clips"."""
    reached: list[Reached] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    confusion: list[ConfusionRow] = field(default_factory=list)


def hue(job_id: int) -> int:
    """The job's own chart series, 1 to 7: the same colour everywhere."""
    return (job_id - 1) % 7 + 1


def job_line(row: JobRow, reader_id: int = 0) -> JobLine:
    """A list row, as `reader_id` reads it."""
    return JobLine(
        id=row.id,
        name=row.name,
        hue=hue(row.id),
        model=row.model_name,
        dataset=row.dataset_name,
        status=row.status,
        active=row.active,
        share=round(row.progress, 4),
        percent=words.percent(row.progress),
        epochs=epochs_words(row.epoch, row.epochs),
        loss=words.loss(_number(row.summary.get("loss"))),
        started=words.iso(row.started_at),
        created=words.iso(row.created_at),
        owner=row.owner if row.owner_id != reader_id else "",
    )


def epochs_words(epoch: float, epochs: int) -> str:
    """Like "3.2 / 10"; whole numbers without a point."""
    done = f"{min(epoch, epochs) if epochs else epoch:.1f}".removesuffix(".0")
    return f"{done} / {epochs}" if epochs else done


def job_head(row: JobRow, memory: int = 0, contrasts: bool = False) -> JobHead:
    """The head of the job page. `memory`: bytes that the run held at its end; `contrasts`: its base is a retriever."""
    ran = (row.finished_at - row.started_at).total_seconds() if row.finished_at and row.started_at else None
    return JobHead(
        id=row.id,
        name=row.name,
        hue=hue(row.id),
        status=row.status,
        active=row.active,
        dataset_id=row.dataset_id or 0,
        dataset=row.dataset_name,
        model_id=row.model_id or 0,
        model=row.model_name,
        created=words.iso(row.created_at),
        started=words.iso(row.started_at),
        finished=words.iso(row.finished_at),
        ran=words.duration(ran),
        worker=row.worker,
        attempt=row.attempt,
        error=row.error,
        error_details=row.error_details,
        priority=row.priority,
        out_of_memory=row.status == "failed" and "memory" in row.error and not row.error.startswith(EVEN_WITH),
        contrasts=contrasts,
        taken=row.status == "failed" and GIVEN_UP in row.error,
        memory_at_end=words.size(memory) if memory else "",
        sweep_id=row.sweep_id or 0,
    )


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
        percent=words.percent(done).removesuffix(f"{words.NARROW}%"),
        step=words.count(step),
        total=words.count(total) if total else "",
        epoch=f"{min(epoch, epochs) if epochs else epoch:.1f}".removesuffix(".0"),
        epochs=str(epochs) if epochs else "",
        elapsed=words.duration((until - started).total_seconds()) if started else "",
        left=words.duration(eta_s),
        done_at=words.iso(until + timedelta(seconds=eta_s)) if eta_s is not None else "",
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
    left = _number(record.get("eta_s"))
    if left is None and started is not None and 0 < step <= total:
        left = (datetime.now(UTC) - started).total_seconds() / step * (total - step)
    return progress_of(step, total, float(record.get("epoch") or 0.0), epochs, started=started, eta_s=left)


def event_line(row: EventRow) -> EventLine:
    """A timeline line."""
    return EventLine(row.kind, row.message, words.iso(row.at))


def notes_of(summary: Mapping[str, Any]) -> list[str]:
    """What the trainer noted of its run, one sentence each."""
    notes = summary.get("notes")
    return [str(text) for text in notes.values()] if isinstance(notes, dict) else []


def log_row_line(row: LogRow) -> LogLine:
    """A log line read from the file."""
    return LogLine(row.at, LEVELS.get(row.level, row.level), row.message)


def result_of(summary: Mapping[str, Any]) -> Result:
    """What a run reached, from its summary: accuracy and confusion matrix on the held-out clips."""
    matrix = summary.get("confusion") or summary.get("confusion_matrix") or []
    labels = [str(name) for name in summary.get("class_names") or range(len(matrix))]
    measure = headline(task_of(summary))
    reached = _number(summary.get(measure.name))
    if reached is None and not matrix:
        return Result()
    total = sum(sum(row) for row in matrix) or int(_number(summary.get("validation_clips")) or 0)
    pairs = zip(labels, matrix, strict=False)
    return Result(
        known=True,
        accuracy=_figure(measure, reached),
        loss=words.loss(_number(summary.get("eval_loss"))),
        clips=f"{_what(measure)} {words.plural(int(total), 'held-out clip')}" if total else "",
        reached=_reached(summary),
        labels=labels,
        confusion=[_confusion_row(labels, label, row, i) for i, (label, row) in enumerate(pairs)],
    )


def _what(measure: Measure) -> str:
    return "right on" if measure.name == "eval_accuracy" else f"{measure.label} on"


def _reached(summary: Mapping[str, Any]) -> list[Reached]:
    base = summary.get("baseline") or {}
    found = [(measure, _number(summary.get(measure.name))) for measure in MEASURES[task_of(summary)]]
    return [
        Reached(measure.label, _figure(measure, value), _figure(measure, _number(base.get(measure.name))))
        for measure, value in found
        if value is not None
    ]


def task_of(summary: Mapping[str, Any]) -> str:
    """What a run is about: noted at its launch; runs from before that are classification."""
    task = summary.get("task")
    return task if task in MEASURES else "classification"


def _figure(measure: Measure, value: float | None) -> str:
    if value is None:
        return ""
    return words.percent(value, 1) if measure.share else f"{value:g}"


def _confusion_row(labels: list[str], label: str, row: list[int], index: int) -> ConfusionRow:
    total = sum(row) or 1
    said = (*labels, *map(str, range(len(labels), len(row))))
    cells = [ConfusionCell(int(n), i == index, pair_of(label, said[i])) for i, n in enumerate(row)]
    return ConfusionRow(label, cells, words.percent(row[index] / total) if index < len(row) else "")


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
