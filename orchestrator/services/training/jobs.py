"""Reads training jobs: lists, single jobs, timelines; deletes finished ones."""

import shutil
from collections.abc import Mapping
from dataclasses import replace

from sqlalchemy import JSON, ColumnElement, Float, func, or_, type_coerce
from sqlmodel import Session, col, select

from orchestrator.domain.adapters import Adapter
from orchestrator.domain.audit import Act
from orchestrator.domain.errors import Conflict, Invalid
from orchestrator.domain.numbers import parse_id
from orchestrator.domain.queueing import Priority
from orchestrator.domain.run_summary import RunSummary
from orchestrator.domain.tasks import HEADLINES
from orchestrator.domain.training_jobs import ACTIVE, FINAL, JobEvent, JobStatus, TrainingJob
from orchestrator.domain.users import Actor
from orchestrator.services.access import owned_job
from orchestrator.services.adapters.files import move_files_from_job
from orchestrator.services.after_commit import after_commit
from orchestrator.services.attempts.folders import job_folder
from orchestrator.services.audit.recording import record
from orchestrator.services.live_events import forget
from orchestrator.services.paging import Page, contains, fetch_page
from orchestrator.services.training.filters import owner_filter, usernames
from orchestrator.services.training.rows import EventRow, JobRow

_HEADLINES = tuple(dict.fromkeys(metric.name for metric in HEADLINES))


def _result() -> ColumnElement[float]:
    """The headline metric of a job's task; -1 where it was not measured."""
    values = type_coerce(col(TrainingJob.summary), JSON)
    return func.coalesce(*(values[name].as_float() for name in _HEADLINES), -1.0, type_=Float)


SORTS = {
    "created_at": col(TrainingJob.created_at),
    "id": col(TrainingJob.id),
    "name": func.lower(col(TrainingJob.name)),
    "status": col(TrainingJob.status),
    "dataset": col(TrainingJob.dataset_name),
    "model": col(TrainingJob.model_name),
    "started_at": func.coalesce(col(TrainingJob.started_at), col(TrainingJob.created_at)),
    "result": _result(),
}
STATUS_WORDS = ("all", "active", "final", *(status.value for status in JobStatus))
"""What a list of jobs can be filtered by."""


def list_jobs(
    session: Session,
    actor: Actor,
    q: str = "",
    status: str = "",
    sort: str = "-created_at",
    limit: int = 50,
    cursor: str | None = None,
    dataset: int | None = None,
    model: int | None = None,
    owner: str = "",
) -> Page[JobRow]:
    """The actor's jobs. An administrator can list jobs of others, without the fields that only their owner may read.

    Args:
        q: text in the name of the job, its dataset or its model, or the id.
        status: one or several statuses, separated by commas, or `active` (waiting or running), `final`, `all`.
        dataset, model: the id of the dataset or the base model.
        owner: see `owner_filter`.
    """
    where = _conditions(actor, q, dataset, model, owner)
    if statuses := _statuses(status):
        where.append(col(TrainingJob.status).in_(statuses))
    page = fetch_page(session, TrainingJob, where, SORTS, sort, limit, cursor)
    names = usernames(session, {job.owner_id for job in page.items}) if owner and actor.is_admin else {}
    return Page([_visible_row(actor, job, names) for job in page.items], page.next, page.total)


def count_jobs(
    session: Session, actor: Actor, q: str = "", dataset: int | None = None, model: int | None = None, owner: str = ""
) -> dict[str, int]:
    """How many jobs each word of `STATUS_WORDS` selects, with the other filters of `list_jobs`."""
    statement = select(TrainingJob.status, func.count(col(TrainingJob.id))).group_by(col(TrainingJob.status))
    found = session.exec(statement.where(*_conditions(actor, q, dataset, model, owner))).all()
    by_status = {JobStatus(status): int(count) for status, count in found}
    return {
        word: sum(by_status.get(status, 0) for status in (_statuses(word) or list(JobStatus))) for word in STATUS_WORDS
    }


def _conditions(actor: Actor, q: str, dataset: int | None, model: int | None, owner: str) -> list[ColumnElement[bool]]:
    """The filters of a list other than the status."""
    where: list[ColumnElement[bool]] = list(owner_filter(actor, owner))
    if dataset is not None:
        where.append(col(TrainingJob.dataset_id) == dataset)
    if model is not None:
        where.append(col(TrainingJob.model_id) == model)
    if q.strip():
        names = (TrainingJob.name, TrainingJob.dataset_name, TrainingJob.model_name)
        matches = [contains(col(name), q) for name in names]
        if job_id := parse_id(q.strip().lstrip("#")):
            matches.append(col(TrainingJob.id) == job_id)
        where.append(or_(*matches))
    return where


def _visible_row(actor: Actor, job: TrainingJob, names: Mapping[int, str]) -> JobRow:
    """The row of a job; of another user's job, only the fields about its progress."""
    row = replace(job_row(job), owner=names.get(job.owner_id, ""))
    if job.owner_id == actor.user_id:
        return row
    return replace(row, summary=RunSummary(), recipe={}, error="", error_details="", failure=None)


def get_job(session: Session, actor: Actor, job_id: int) -> JobRow:
    """One job of the actor.

    Raises:
        NotFound: it does not exist, or belongs to another user.
    """
    return job_row(owned_job(session, actor, job_id))


def list_events(session: Session, actor: Actor, job_id: int, limit: int = 200) -> list[EventRow]:
    """The timeline of a job, newest first."""
    job = owned_job(session, actor, job_id)
    statement = select(JobEvent).where(JobEvent.job_id == job_id).order_by(col(JobEvent.id).desc()).limit(limit)
    return [event_row(event, job.name) for event in session.exec(statement)]


def delete_job(session: Session, actor: Actor, job_id: int) -> None:
    """Deletes a finished job with its metrics, log and checkpoints; the adapter version that it made stays.

    Raises:
        Conflict: the job waits or runs.
    """
    job = owned_job(session, actor, job_id)
    if job.status not in FINAL:
        raise Conflict(f"{job.name} is still {job.status.value}. Stop it first, then delete it.")
    adapter = session.exec(select(Adapter).where(Adapter.source_job == job_id)).first()
    session.delete(job)
    session.flush()
    record(session, actor, Act.JOB_DELETED, job_id, job.name, before={"status": job.status.value})
    after_commit(session, lambda: _remove_folder(job_id, adapter))
    after_commit(session, lambda: forget(job_id))


def _remove_folder(job_id: int, adapter: Adapter | None) -> None:
    if adapter is not None:
        move_files_from_job(adapter)
    shutil.rmtree(job_folder(job_id), ignore_errors=True)


def job_row(job: TrainingJob) -> JobRow:
    """The row of a stored job."""
    assert job.id is not None
    recipe = job.recipe or {}
    active = job.status in ACTIVE
    return JobRow(
        id=job.id,
        name=job.name,
        status=job.status.value,
        owner_id=job.owner_id,
        dataset_id=job.dataset_id,
        dataset_name=job.dataset_name,
        model_id=job.model_id,
        model_name=job.model_name,
        step=job.step,
        total_steps=job.total_steps,
        epoch=job.epoch,
        epochs=int((recipe.get("optim") or {}).get("epochs") or 0),
        progress=progress_share(job),
        summary=job.summary,
        error=job.error,
        error_details=job.error_details,
        created_at=job.created_at,
        started_at=job.started_at,
        finished_at=job.finished_at,
        eta_s=job.summary.eta_s if active else None,
        recipe=dict(recipe),
        worker=job.worker,
        attempt=job.attempt,
        active=active,
        priority=Priority(job.priority).name.lower(),
        sweep_id=job.sweep_id,
        dataset_version=job.dataset_version,
        model_revision=job.model_revision,
        failure=job.failure,
    )


def progress_share(job: TrainingJob) -> float:
    """The share of steps that are trained, 0 to 1; 1 only for a completed job."""
    if job.status is JobStatus.COMPLETED:
        return 1.0
    return min(1.0, job.step / job.total_steps) if job.total_steps else 0.0


def event_row(event: JobEvent, job_name: str) -> EventRow:
    """The row of a stored event."""
    return EventRow(event.job_id, job_name, event.kind, event.message, event.at)


def _statuses(status: str) -> list[JobStatus]:
    chosen: set[JobStatus] = set()
    for word in filter(None, (part.strip() for part in status.split(","))):
        if word not in STATUS_WORDS:
            raise Invalid(f"Status must be one of: active, final, {', '.join(JobStatus)}.", "status")
        if word in ("active", "final"):
            chosen |= ACTIVE if word == "active" else FINAL
        elif word != "all":
            chosen.add(JobStatus(word))
    return sorted(chosen)
