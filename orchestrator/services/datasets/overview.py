"""What a list of datasets shows beside its rows: true counts, clips for the film strip, the jobs that used each."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, func
from sqlmodel import Session, col, select

from orchestrator.domain.datasets import Clip, ClipStatus, Dataset, DatasetStatus, Upload
from orchestrator.domain.tasks import Task
from orchestrator.domain.training_jobs import ACTIVE, JobRef, TrainingJob
from orchestrator.domain.users import Actor
from orchestrator.services.paging import contains

STRIP_FRAMES = 4
MARKS = 7
"""How many jobs a card names by their colour; the rest are counted."""


@dataclass(frozen=True, slots=True)
class DatasetTotals:
    """Counts over everything that matches; `by_status` leaves the status filter itself out."""

    datasets: int
    clips: int
    size_bytes: int
    by_status: dict[str, int]


@dataclass(frozen=True, slots=True)
class DatasetExtras:
    """`clip_ids`: up to four clips, of different classes where there are; `jobs`: the newest first."""

    clip_ids: list[int] = field(default_factory=list)
    jobs: list[JobRef] = field(default_factory=list)
    job_count: int = 0
    active_count: int = 0
    receiving: int = 0
    """Uploads that were not read yet, whole or in part."""


def dataset_totals(session: Session, actor: Actor, q: str = "", task: str = "") -> DatasetTotals:
    """How many datasets the actor has, by status, among those that match the search and the task."""
    matching: list[ColumnElement[bool]] = [col(Dataset.owner_id) == actor.user_id]
    if q.strip():
        matching.append(contains(Dataset.name, q))
    if task in list(Task):
        matching.append(col(Dataset.task) == Task(task))
    statement = (
        select(
            Dataset.status,
            func.count(),
            func.coalesce(func.sum(Dataset.clip_count), 0),
            func.coalesce(func.sum(Dataset.size_bytes), 0),
        )
        .where(*matching)
        .group_by(col(Dataset.status))
    )
    found = session.exec(statement).all()
    none = {status.value: 0 for status in DatasetStatus}
    by_status = none | {DatasetStatus(row[0]).value: int(row[1]) for row in found}
    return DatasetTotals(
        datasets=sum(by_status.values()),
        clips=sum(int(row[2]) for row in found),
        size_bytes=sum(int(row[3]) for row in found),
        by_status=by_status,
    )


def dataset_extras(session: Session, actor: Actor, dataset_ids: Sequence[int]) -> dict[int, DatasetExtras]:
    """The film strip and the jobs of each of these datasets; those that are not the actor's are left out."""
    own = session.exec(
        select(Dataset.id).where(col(Dataset.id).in_(dataset_ids), col(Dataset.owner_id) == actor.user_id)
    ).all()
    ids = [dataset_id for dataset_id in own if dataset_id is not None]
    strips = {dataset_id: _strip(session, dataset_id) for dataset_id in ids}
    jobs = _jobs(session, actor, ids)
    receiving = _receiving(session, ids)
    return {i: _extras(strips[i], jobs.get(i, []), receiving.get(i, 0)) for i in ids}


def _extras(clip_ids: list[int], jobs: list[JobRef], receiving: int) -> DatasetExtras:
    active = sum(1 for job in jobs if job.status in ACTIVE)
    return DatasetExtras(clip_ids, jobs[:MARKS], len(jobs), active, receiving)


def _receiving(session: Session, dataset_ids: list[int]) -> dict[int, int]:
    statement = (
        select(Upload.dataset_id, func.count())
        .where(col(Upload.dataset_id).in_(dataset_ids))
        .group_by(col(Upload.dataset_id))
    )
    return {dataset_id: number for dataset_id, number in session.exec(statement) if dataset_id is not None}


def _strip(session: Session, dataset_id: int) -> list[int]:
    """Of the good clips; where all still wait for their words, of those."""
    return _firsts(session, dataset_id, ClipStatus.OK) or _firsts(session, dataset_id, ClipStatus.QUARANTINED)


def _firsts(session: Session, dataset_id: int, status: ClipStatus) -> list[int]:
    """The first clip of each of the first classes; one class alone fills the strip by itself."""
    good = (
        col(Clip.dataset_id) == dataset_id,
        col(Clip.status) == status,
        col(Clip.thumbnail_path) != "",
    )
    firsts = select(func.min(Clip.id)).where(*good).group_by(col(Clip.label)).order_by(col(Clip.label))
    ids = [clip_id for clip_id in session.exec(firsts.limit(STRIP_FRAMES)).all() if clip_id is not None]
    if 0 < len(ids) < STRIP_FRAMES:
        others = select(Clip.id).where(*good, col(Clip.id).not_in(ids)).order_by(col(Clip.id))
        ids += [i for i in session.exec(others.limit(STRIP_FRAMES - len(ids))).all() if i is not None]
    return ids


def _jobs(session: Session, actor: Actor, dataset_ids: list[int]) -> dict[int, list[JobRef]]:
    statement = (
        select(TrainingJob.dataset_id, TrainingJob.id, TrainingJob.name, TrainingJob.status)
        .where(col(TrainingJob.dataset_id).in_(dataset_ids), col(TrainingJob.owner_id) == actor.user_id)
        .order_by(col(TrainingJob.id).desc())
    )
    marks: dict[int, list[JobRef]] = {}
    for dataset_id, job_id, name, status in session.exec(statement):
        if dataset_id is not None and job_id is not None:
            marks.setdefault(dataset_id, []).append(JobRef(job_id, name, str(status)))
    return marks
