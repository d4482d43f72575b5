"""What the overview shows: frozen rows with their words ready."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from orchestrator.domain.live_records import MetricRecord, ProgressRecord
from orchestrator.domain.tasks import headline_in
from orchestrator.services.activity import ActiveJob, Counts
from orchestrator.services.training.rows import EventRow, JobRow
from orchestrator.states.jobs.rows import hue
from orchestrator.states.shared import formatting

DASH = "\u2013"
CURVE_POINTS = 60
WAITING = {"queued": "Waiting for a worker", "starting": "Starting", "stopping": "Stopping", "lost": "Worker lost"}


@dataclass(frozen=True, slots=True)
class ActiveCard:
    """A waiting or running job: what does not move."""

    id: str
    name: str
    status: str
    series: int
    subject: str
    epochs: int


@dataclass(frozen=True, slots=True)
class Moving:
    """What moves in a card."""

    percent: int = 0
    left: str = ""
    step: str = "0"
    total: str = ""
    epoch: str = "0"
    loss: str = DASH
    accuracy: str = DASH


@dataclass(frozen=True, slots=True)
class RecentJob:
    """A row of the table of ended jobs."""

    id: int
    name: str
    series: int
    status: str
    dataset: str
    done: str
    loss: str
    accuracy: str


@dataclass(frozen=True, slots=True)
class EventLine:
    """One thing that happened."""

    job_id: int
    job_name: str
    kind: str
    message: str
    at: str
    """ISO time."""


@dataclass(frozen=True, slots=True)
class Figures:
    """The counts, worded."""

    datasets: str = "0"
    datasets_note: str = ""
    models: str = "0"
    models_note: str = ""
    jobs: str = "0"
    jobs_note: str = ""
    adapters: str = "0"
    adapters_note: str = ""


def active_card(job: JobRow) -> ActiveCard:
    """The still part of a card."""
    subject = f"{job.dataset_name} \u00b7 {job.model_name}"
    return ActiveCard(str(job.id), job.name, job.status, hue(job.id), subject, job.epochs)


def moving_of(item: ActiveJob) -> Moving:
    """The moving part of a card, as the ledger knows it."""
    job = item.job
    return Moving(
        percent=int(100 * job.progress),
        left=left_words(job.eta_s, job.status),
        step=formatting.count(job.step),
        total=formatting.count(job.total_steps) if job.total_steps else "",
        epoch=_epoch(job.epoch),
        loss=formatting.loss(job.summary.loss) or DASH,
        accuracy=reached_words(job.summary.values),
    )


def moved(before: Moving, record: MetricRecord | ProgressRecord) -> Moving:
    """The moving part after one live record."""
    if record["kind"] == "progress":
        total, step = record["total"], record["step"]
        return replace(
            before,
            percent=int(100 * min(1.0, step / total)) if total else before.percent,
            step=formatting.count(step),
            total=formatting.count(total) if total else before.total,
            epoch=_epoch(record["epoch"]),
        )
    values = record["values"]
    loss, reached = number(values.get("loss")), reached_words(values)
    return replace(
        before,
        loss=formatting.loss(loss) if loss is not None else before.loss,
        accuracy=reached if reached != DASH else before.accuracy,
    )


def left_words(eta_s: float | None, status: str) -> str:
    """Like "23 min left", or what it waits for."""
    if status in WAITING:
        return WAITING[status]
    return f"{formatting.duration(eta_s)} left" if eta_s else ""


def recent_job(job: JobRow) -> RecentJob:
    """A row of the table."""
    return RecentJob(
        id=job.id,
        name=job.name,
        series=hue(job.id),
        status=job.status,
        dataset=job.dataset_name,
        done=formatting.percent(job.progress),
        loss=formatting.loss(job.summary.loss) or DASH,
        accuracy=reached_words(job.summary.values),
    )


def event_line(row: EventRow) -> EventLine:
    """A line of the timeline."""
    return EventLine(row.job_id, row.job_name, row.kind, row.message, formatting.iso(row.at))


def figures_of(counts: Counts, active: int) -> Figures:
    """The counts, worded."""
    done, failed = counts.jobs_by_status.get("completed", 0), counts.jobs_by_status.get("failed", 0)
    return Figures(
        datasets=formatting.count(counts.datasets),
        datasets_note=f"{formatting.plural(counts.clips, 'clip')}, {formatting.size(counts.dataset_bytes)}",
        models=formatting.count(counts.models),
        models_note="built in and your own",
        jobs=formatting.count(counts.jobs),
        jobs_note=f"{formatting.count(active)} active, {formatting.count(failed)} failed",
        adapters=formatting.count(done),
        adapters_note="from completed jobs",
    )


def number(value: Any) -> float | None:
    """A finite number, or None."""
    good = isinstance(value, int | float) and not isinstance(value, bool) and value == value
    return float(value) if good and abs(value) != float("inf") else None


def reached_words(values: Mapping[str, Any]) -> str:
    """What stands for a run of its task: 0.867 -> "86.7 %"."""
    metric = headline_in(values)
    found = number(values[metric.name]) if metric else None
    return formatting.percent(found, 1) if found is not None else DASH


def _epoch(epoch: float) -> str:
    return f"{epoch:.1f}".removesuffix(".0")
