"""Notifies the owner of a job when it ends, or when it was resumed after the loss of its worker."""

from sqlalchemy import func
from sqlmodel import Session, col, select

from orchestrator.domain.metric_definitions import figure
from orchestrator.domain.queueing import Sweep
from orchestrator.domain.tasks import headline_in
from orchestrator.domain.training_jobs import ACTIVE, JobEvent, JobStatus, TrainingJob
from orchestrator.services.notifications.notifications import notify

_TITLES = {
    JobStatus.COMPLETED: "{name} is done",
    JobStatus.FAILED: "{name} failed",
    JobStatus.STOPPED: "{name} was stopped",
}


def notify_transition(session: Session, job_id: int, to: JobStatus, message: str) -> None:
    """Called with each transition of a job; most send nothing."""
    if to is JobStatus.RUNNING:
        _notify_recovery(session, job_id)
    if to not in _TITLES:
        return
    job = session.get(TrainingJob, job_id)
    if job is None:
        return
    if job.sweep_id is not None:
        _notify_sweep_end(session, job.sweep_id)
        return
    body = _result(job) if to is JobStatus.COMPLETED else message
    notify(session, job.owner_id, to.value, _TITLES[to].format(name=job.name), body, job_id)


def _result(job: TrainingJob) -> str:
    values, loss = job.summary.values, job.summary.eval_loss
    if metric := headline_in(values):
        value = figure(metric, values[metric.name])
        return f"{metric.label} {value} on held-out clips. The adapter is ready."
    if loss is not None:
        return f"Validation loss {loss:.3f}. The adapter is ready."
    return "The adapter is ready."


def _notify_recovery(session: Session, job_id: int) -> None:
    """Sends one notification for each loss: when the events since the last start contain one."""
    newest = select(JobEvent.kind).where(JobEvent.job_id == job_id).order_by(col(JobEvent.id).desc()).limit(5)
    kinds = list(session.exec(newest))
    since = kinds[: kinds.index("running", 1)] if "running" in kinds[1:] else kinds
    job = session.get(TrainingJob, job_id)
    if "lost" in since and job is not None:
        body = f"Its worker was lost; attempt {job.attempt} resumes from the last checkpoint."
        notify(session, job.owner_id, "recovered", f"{job.name} was resumed automatically", body, job_id)


def _notify_sweep_end(session: Session, sweep_id: int) -> None:
    """Sends one notification when the last job of a sweep has ended, instead of one for each job."""
    active = select(func.count(col(TrainingJob.id))).where(
        TrainingJob.sweep_id == sweep_id, col(TrainingJob.status).in_(ACTIVE)
    )
    sweep = session.get(Sweep, sweep_id)
    if sweep is None or session.exec(active).one():
        return
    ends = select(TrainingJob.status, func.count(col(TrainingJob.id))).where(TrainingJob.sweep_id == sweep_id)
    counts = {JobStatus(status).value: count for status, count in session.exec(ends.group_by(col(TrainingJob.status)))}
    body = ", ".join(f"{count} {status}" for status, count in counts.items())
    first = session.exec(select(func.min(TrainingJob.id)).where(TrainingJob.sweep_id == sweep_id)).one()
    kind = "completed" if counts.get("completed") else "failed" if counts.get("failed") else "stopped"
    notify(session, sweep.owner_id, kind, f"Sweep {sweep.name} has ended", f"{body}.", first)
