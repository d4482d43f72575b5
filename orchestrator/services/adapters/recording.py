"""Records an adapter version for each completed job that produced files, exactly once."""

import json
from typing import Any

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlmodel import Session, col, select

from orchestrator.domain.adapters import Adapter, AdapterLine
from orchestrator.domain.audit import Act
from orchestrator.domain.base import utcnow
from orchestrator.domain.job_files import SPEC
from orchestrator.domain.models import VideoModel
from orchestrator.domain.tasks import TASK_OF_MODEL
from orchestrator.domain.training_jobs import JobStatus, TrainingJob
from orchestrator.domain.users import User
from orchestrator.services.adapters.files import job_result, list_files, result_kind_on_disk
from orchestrator.services.attempts.folders import readable_folder
from orchestrator.services.audit.recording import Person, record


def record_adapter(session: Session, job_id: int) -> Adapter | None:
    """The version that a completed job made: the one that exists already, or a new one.

    Returns:
        None when the job is not completed, or has no files.
    """
    existing = session.exec(select(Adapter).where(Adapter.source_job == job_id)).first()
    job = session.get(TrainingJob, job_id)
    if existing is not None or job is None or job.status is not JobStatus.COMPLETED:
        return existing
    if (kind := result_kind_on_disk(job_id, job.attempt)) is None:
        return None
    line = _line(session, job.owner_id, job.name)
    facts = _base_facts(session, job)
    adapter = Adapter(
        owner_id=job.owner_id,
        line_id=line.id or 0,
        name=line.name,
        version=_next_version(session, line),
        kind=kind,
        source_job=job_id,
        job_id=job_id,
        dataset_id=job.dataset_id,
        dataset_name=job.dataset_name,
        dataset_version=job.dataset_version,
        model_id=job.model_id,
        model_name=job.model_name,
        model_revision=job.model_revision,
        recipe=dict(job.recipe or {}),
        summary=job.summary.lasting(),
        size_bytes=sum(file.size_bytes for file in list_files(job_result(job_id, kind))),
        created_at=job.finished_at or utcnow(),
        **facts,
    )
    session.add(adapter)
    session.flush()
    owner, label = session.get_one(User, job.owner_id), f"{adapter.name} v{adapter.version}"
    person = Person(owner.id, owner.username)
    record(session, None, Act.ADAPTER_RECORDED, adapter.id, label, after={"job": job_id}, on_behalf_of=person)
    return adapter


def record_missing(session: Session, limit: int = 200) -> int:
    """Records versions for completed jobs that have none, such as those of a controller that was killed; oldest first.

    Args:
        limit: how many at most.

    Returns:
        How many were recorded.
    """
    without = (
        select(TrainingJob.id)
        .where(TrainingJob.status == JobStatus.COMPLETED, col(TrainingJob.id).not_in(select(Adapter.source_job)))
        .order_by(col(TrainingJob.finished_at), col(TrainingJob.id))
    )
    recorded = 0
    for job_id in session.exec(without).all():
        if recorded >= limit:
            break
        recorded += record_adapter(session, job_id or 0) is not None
    return recorded


def _line(session: Session, owner_id: int, name: str) -> AdapterLine:
    """The line of this name, created if it does not exist; two jobs that end at once get the same one."""
    insert = postgres_insert if session.get_bind().dialect.name == "postgresql" else sqlite_insert
    values = {"owner_id": owner_id, "name": name, "last_version": 0, "created_at": utcnow()}
    session.exec(insert(AdapterLine).values(**values).on_conflict_do_nothing(index_elements=["owner_id", "name"]))
    statement = select(AdapterLine).where(AdapterLine.owner_id == owner_id, AdapterLine.name == name)
    return session.exec(statement).one()


def _next_version(session: Session, line: AdapterLine) -> int:
    """Increments the counter in the database; its row stays locked until the commit, so that no number comes twice."""
    counter = update(AdapterLine).where(col(AdapterLine.id) == line.id)
    session.exec(counter.values(last_version=AdapterLine.last_version + 1).execution_options(synchronize_session=False))
    session.refresh(line)
    return line.last_version


def _base_facts(session: Session, job: TrainingJob) -> dict[str, Any]:
    """Family, architecture and task of the base: from its record, or from the job's spec file when it was deleted."""
    model = session.get(VideoModel, job.model_id) if job.model_id else None
    if model is not None:
        return {
            "family": model.family,
            "architecture": model.architecture,
            "task": TASK_OF_MODEL[model.model_type].key.value,
        }
    try:
        spec = json.loads((readable_folder(job.id or 0, job.attempt) / SPEC).read_text())
    except (OSError, ValueError):
        spec = {}
    facts = {key: str(spec.get(key) or "") for key in ("family", "architecture", "task")}
    return facts | {"task": facts["task"] or job.summary.task}
