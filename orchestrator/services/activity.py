"""The data of the overview page: counts, active jobs with their loss curves, recent events, workers."""

from dataclasses import dataclass, field

from sqlalchemy import case, func, or_
from sqlmodel import Session, col, select

from orchestrator.domain.adapters import Adapter
from orchestrator.domain.datasets import Dataset
from orchestrator.domain.models import VideoModel
from orchestrator.domain.run_summary import RunSummary
from orchestrator.domain.training_jobs import ACTIVE, FINAL, ON_WORKER, JobEvent, JobStatus, TrainingJob
from orchestrator.domain.users import Actor
from orchestrator.services.metrics.history import latest
from orchestrator.services.training.jobs import event_row, job_row
from orchestrator.services.training.rows import EventRow, JobRow
from orchestrator.services.workers import WorkerRow, list_workers

CURVE_SERIES = "loss"


@dataclass(frozen=True, slots=True)
class Counts:
    """How many records of each kind the user has; models include the built-in ones."""

    datasets: int
    clips: int
    dataset_bytes: int
    models: int
    adapters: int
    """Versions of adapters that are stored."""
    adapter_bytes: int
    jobs: int
    jobs_by_status: dict[str, int]

    def of(self, *statuses: JobStatus) -> int:
        """How many jobs have one of these statuses."""
        return sum(self.jobs_by_status.get(status.value, 0) for status in statuses)


@dataclass(frozen=True, slots=True)
class ActiveJob:
    """A waiting or running job with its loss curve."""

    job: JobRow
    points: list[list[float]] = field(default_factory=list)
    """[[step, value], ...], downsampled."""


@dataclass(frozen=True, slots=True)
class JobNews:
    """The newest event of a job, and what the job has reached."""

    event: EventRow
    summary: RunSummary


@dataclass(frozen=True, slots=True)
class OverviewRow:
    """Everything the overview shows."""

    counts: Counts
    active: list[ActiveJob]
    recent_jobs: list[JobRow]
    """Jobs that have ended, the latest first."""
    news: list[JobNews]
    devices: list[WorkerRow]


@dataclass(frozen=True, slots=True)
class RunningRow:
    """How many of the user's jobs run and wait, and the progress of the one that is furthest."""

    count: int
    """Jobs that are assigned to a worker."""
    waiting: int
    job_id: int
    """0 when none runs and none waits."""
    progress: float
    started: bool
    """False while it waits, or before its first step."""


def running_now(session: Session, actor: Actor) -> RunningRow:
    """Counts the actor's active jobs and picks the one to show: a running one first, of these the furthest."""
    mine = (TrainingJob.owner_id == actor.user_id, col(TrainingJob.status).in_(ACTIVE))
    on_worker = col(TrainingJob.status).in_(ON_WORKER)
    active, count = session.exec(
        select(func.count(col(TrainingJob.id)), func.coalesce(func.sum(case((on_worker, 1), else_=0)), 0)).where(*mine)
    ).one()
    if not active:
        return RunningRow(0, 0, 0, 0.0, False)
    order = (case((on_worker, 0), else_=1), col(TrainingJob.step).desc(), col(TrainingJob.id))
    row = job_row(session.exec(select(TrainingJob).where(*mine).order_by(*order).limit(1)).one())
    running = int(count)
    return RunningRow(running, active - running, row.id, row.progress, running > 0 and row.step > 0)


def overview(session: Session, actor: Actor, jobs: int = 6, events: int = 10, curve_points: int = 60) -> OverviewRow:
    """Reads everything that the actor's overview page shows.

    Args:
        jobs: how many active and how many ended jobs at most.
        events: of how many jobs the newest event is read at most.
        curve_points: points a loss curve is downsampled to.
    """
    mine = TrainingJob.owner_id == actor.user_id
    running = select(TrainingJob).where(mine, col(TrainingJob.status).in_(ACTIVE))
    active = session.exec(running.order_by(col(TrainingJob.id).desc()).limit(jobs)).all()
    ended = select(TrainingJob).where(mine, col(TrainingJob.status).in_(FINAL))
    recent = session.exec(ended.order_by(col(TrainingJob.finished_at).desc()).limit(jobs)).all()
    curves = latest(session, [job.id for job in active if job.id], CURVE_SERIES, curve_points)
    return OverviewRow(
        counts=_counts(session, actor),
        active=[ActiveJob(job_row(job), curves.get(job.id or 0, [])) for job in active],
        recent_jobs=[job_row(job) for job in recent],
        news=_news(session, actor, events),
        devices=list_workers(session, actor),
    )


def _counts(session: Session, actor: Actor) -> Counts:
    sums = select(
        func.count(col(Dataset.id)),
        func.coalesce(func.sum(Dataset.clip_count), 0),
        func.coalesce(func.sum(Dataset.size_bytes), 0),
    ).where(Dataset.owner_id == actor.user_id)
    datasets, clips, size = session.exec(sums).one()
    visible = or_(col(VideoModel.owner_id).is_(None), col(VideoModel.owner_id) == actor.user_id)
    models = session.exec(select(func.count(col(VideoModel.id))).where(visible)).one()
    by_status = (
        select(TrainingJob.status, func.count(col(TrainingJob.id)))
        .where(TrainingJob.owner_id == actor.user_id)
        .group_by(col(TrainingJob.status))
    )
    statuses = {JobStatus(status).value: count for status, count in session.exec(by_status)}
    stored = select(func.count(col(Adapter.id)), func.coalesce(func.sum(Adapter.size_bytes), 0))
    adapters, adapter_bytes = session.exec(stored.where(Adapter.owner_id == actor.user_id)).one()
    return Counts(
        datasets, int(clips), int(size), models, adapters, int(adapter_bytes), sum(statuses.values()), statuses
    )


def _news(session: Session, actor: Actor, limit: int) -> list[JobNews]:
    """The newest event of each job, so that one job does not fill the list."""
    newest = (
        select(func.max(JobEvent.id))
        .join(TrainingJob, col(TrainingJob.id) == col(JobEvent.job_id))
        .where(TrainingJob.owner_id == actor.user_id)
        .group_by(col(JobEvent.job_id))
    )
    statement = (
        select(JobEvent, TrainingJob)
        .join(TrainingJob, col(TrainingJob.id) == col(JobEvent.job_id))
        .where(col(JobEvent.id).in_(newest))
        .order_by(col(JobEvent.id).desc())
        .limit(limit)
    )
    return [JobNews(event_row(event, job.name), job.summary) for event, job in session.exec(statement)]
