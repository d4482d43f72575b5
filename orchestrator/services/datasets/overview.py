"""What a list of datasets shows in addition to its rows: totals, clips for film strips, the jobs of each dataset."""

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
JOBS_SHOWN = 7
"""How many jobs a card shows; the others are counted."""


@dataclass(frozen=True, slots=True)
class DatasetTotals:
    """Totals of all datasets that match a search; `by_status` ignores the status filter."""

    datasets: int
    clips: int
    size_bytes: int
    by_status: dict[str, int]


@dataclass(frozen=True, slots=True)
class DatasetExtras:
    """`clip_ids`: up to four clips, of different classes where possible; `jobs`: the newest first."""

    clip_ids: list[int] = field(default_factory=list)
    jobs: list[JobRef] = field(default_factory=list)
    job_count: int = 0
    active_count: int = 0
    receiving: int = 0
    """Uploads that were not imported yet, complete or in part."""


def dataset_totals(session: Session, actor: Actor, q: str = "", task: str = "") -> DatasetTotals:
    """Totals of the actor's datasets that match the search and the task."""
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
    rows = session.exec(statement).all()
    zeros = {status.value: 0 for status in DatasetStatus}
    by_status = zeros | {DatasetStatus(row[0]).value: int(row[1]) for row in rows}
    return DatasetTotals(
        datasets=sum(by_status.values()),
        clips=sum(int(row[2]) for row in rows),
        size_bytes=sum(int(row[3]) for row in rows),
        by_status=by_status,
    )


def dataset_extras(session: Session, actor: Actor, dataset_ids: Sequence[int]) -> dict[int, DatasetExtras]:
    """Film strip and jobs of these datasets, by id; datasets of other users are left out."""
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
    return DatasetExtras(clip_ids, jobs[:JOBS_SHOWN], len(jobs), active, receiving)


def _receiving(session: Session, dataset_ids: list[int]) -> dict[int, int]:
    statement = (
        select(Upload.dataset_id, func.count())
        .where(col(Upload.dataset_id).in_(dataset_ids))
        .group_by(col(Upload.dataset_id))
    )
    return {dataset_id: number for dataset_id, number in session.exec(statement) if dataset_id is not None}


def _strip(session: Session, dataset_id: int) -> list[int]:
    """Clips for the film strip: usable ones, or where there are none, those without annotation."""
    return _first_of_classes(session, dataset_id, ClipStatus.OK) or _first_of_classes(
        session, dataset_id, ClipStatus.QUARANTINED
    )


def _first_of_classes(session: Session, dataset_id: int, status: ClipStatus) -> list[int]:
    """The first clip of each of the first classes; further clips where there are fewer classes than frames."""
    usable = (
        col(Clip.dataset_id) == dataset_id,
        col(Clip.status) == status,
        col(Clip.thumbnail_path) != "",
    )
    firsts = select(func.min(Clip.id)).where(*usable).group_by(col(Clip.label)).order_by(col(Clip.label))
    ids = [clip_id for clip_id in session.exec(firsts.limit(STRIP_FRAMES)).all() if clip_id is not None]
    if 0 < len(ids) < STRIP_FRAMES:
        others = select(Clip.id).where(*usable, col(Clip.id).not_in(ids)).order_by(col(Clip.id))
        ids += [i for i in session.exec(others.limit(STRIP_FRAMES - len(ids))).all() if i is not None]
    return ids


def _jobs(session: Session, actor: Actor, dataset_ids: list[int]) -> dict[int, list[JobRef]]:
    statement = (
        select(TrainingJob.dataset_id, TrainingJob.id, TrainingJob.name, TrainingJob.status)
        .where(col(TrainingJob.dataset_id).in_(dataset_ids), col(TrainingJob.owner_id) == actor.user_id)
        .order_by(col(TrainingJob.id).desc())
    )
    jobs: dict[int, list[JobRef]] = {}
    for dataset_id, job_id, name, status in session.exec(statement):
        if dataset_id is not None and job_id is not None:
            jobs.setdefault(dataset_id, []).append(JobRef(job_id, name, str(status)))
    return jobs
