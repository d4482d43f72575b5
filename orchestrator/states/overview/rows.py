"""The rows of the overview, made of what the services return."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from orchestrator.domain import formatting
from orchestrator.domain.live_records import MetricRecord, ProgressRecord
from orchestrator.domain.metric_definitions import figure
from orchestrator.domain.tasks import headline_in
from orchestrator.services.activity import ActiveJob, Counts, JobNews
from orchestrator.services.training.rows import JobRow
from orchestrator.states.shared.presentation import series_of

DASH = "\u2013"
CURVE_POINTS = 60
WAITING = {"queued": "Waiting for a worker", "starting": "Starting", "stopping": "Stopping", "lost": "Worker lost"}


@dataclass(frozen=True, slots=True)
class ActiveCard:
    """A waiting or running job: the part that does not change."""

    id: str
    name: str
    status: str
    series: int
    subject: str
    epochs: int


@dataclass(frozen=True, slots=True)
class LiveFigures:
    """The part of a card that changes while the job runs."""

    percent: int = 0
    time_left: str = ""
    step: str = "0"
    total: str = ""
    epoch: str = "0"
    loss: str = DASH
    headline: str = DASH
    """The headline metric of the job's task."""


@dataclass(frozen=True, slots=True)
class RecentJob:
    """A row of the table of ended jobs."""

    id: int
    name: str
    series: int
    status: str
    dataset: str
    progress: str
    loss: str
    headline: str


@dataclass(frozen=True, slots=True)
class EventLine:
    """One event."""

    job_id: int
    job_name: str
    kind: str
    message: str
    at: str
    """ISO time."""


@dataclass(frozen=True, slots=True)
class Figures:
    """The counts as text."""

    datasets: str = "0"
    datasets_note: str = ""
    models: str = "0"
    models_note: str = ""
    jobs: str = "0"
    jobs_note: str = ""
    adapters: str = "0"
    adapters_note: str = ""


def active_card(job: JobRow) -> ActiveCard:
    """The constant part of a card."""
    subject = f"{job.dataset_name} \u00b7 {job.model_name}"
    return ActiveCard(str(job.id), job.name, job.status, series_of(job.id), subject, job.epochs)


def live_figures(item: ActiveJob) -> LiveFigures:
    """The changing part of a card, from the database."""
    job = item.job
    return LiveFigures(
        percent=int(100 * job.progress),
        time_left=time_left(job.eta_s, job.status),
        step=formatting.count(job.step),
        total=formatting.count(job.total_steps) if job.total_steps else "",
        epoch=_epoch(job.epoch),
        loss=formatting.loss(job.summary.loss) or DASH,
        headline=headline_text(job.summary.values),
    )


def updated(before: LiveFigures, record: MetricRecord | ProgressRecord) -> LiveFigures:
    """The changing part after one live record."""
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
    loss, headline = number(values.get("loss")), headline_text(values)
    return replace(
        before,
        loss=formatting.loss(loss) if loss is not None else before.loss,
        headline=headline if headline != DASH else before.headline,
    )


def time_left(eta_s: float | None, status: str) -> str:
    """Such as "23 min left", or what it waits for."""
    if status in WAITING:
        return WAITING[status]
    return f"{formatting.duration(eta_s)} left" if eta_s else ""


def recent_job(job: JobRow) -> RecentJob:
    """A row of the table."""
    return RecentJob(
        id=job.id,
        name=job.name,
        series=series_of(job.id),
        status=job.status,
        dataset=job.dataset_name,
        progress=formatting.percent(job.progress),
        loss=formatting.loss(job.summary.loss) or DASH,
        headline=headline_text(job.summary.values),
    )


def event_line(news: JobNews) -> EventLine:
    """A line of the timeline; that of a completed job says what the job reached."""
    row, message = news.event, news.event.message
    metric = headline_in(news.summary.values)
    if row.kind == "completed" and metric and (value := news.summary.value(metric.name)) is not None:
        message = f"Completed: {metric.label} {figure(metric, value)}"
    return EventLine(row.job_id, row.job_name, row.kind, message, formatting.iso(row.at))


def figures_of(counts: Counts, active: int) -> Figures:
    """The counts as text."""
    failed = counts.jobs_by_status.get("failed", 0)
    return Figures(
        datasets=formatting.count(counts.datasets),
        datasets_note=f"{formatting.plural(counts.clips, 'clip')}, {formatting.size(counts.dataset_bytes)}",
        models=formatting.count(counts.models),
        models_note="built in and your own",
        jobs=formatting.count(counts.jobs),
        jobs_note=f"{formatting.count(active)} active, {formatting.count(failed)} failed",
        adapters=formatting.count(counts.adapters),
        adapters_note=f"{formatting.size(counts.adapter_bytes)} on disk" if counts.adapters else "made by jobs",
    )


def number(value: Any) -> float | None:
    """A finite number, or None."""
    numeric = isinstance(value, int | float) and not isinstance(value, bool) and value == value
    return float(value) if numeric and abs(value) != float("inf") else None


def headline_text(values: Mapping[str, Any]) -> str:
    """The headline metric of a run's task: 0.867 -> "86.7 %"."""
    metric = headline_in(values)
    value = number(values[metric.name]) if metric else None
    return figure(metric, value) if metric and value is not None else DASH


def _epoch(epoch: float) -> str:
    return f"{epoch:.1f}".removesuffix(".0")
