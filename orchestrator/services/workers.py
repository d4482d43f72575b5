"""The workers: their heartbeats, their devices and what each does now."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete
from sqlmodel import Session, col, select

from orchestrator.domain.base import utcnow
from orchestrator.domain.json_keys import json_key
from orchestrator.domain.machines import CPU, GPU, PREP
from orchestrator.domain.training_jobs import TrainingJob
from orchestrator.domain.users import Actor, User
from orchestrator.domain.workers import ALIVE_S, Worker

_FORGET_AFTER = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class WorkerRow:
    """A worker as the overview and the REST answer show it."""

    name: str
    host: str
    device: str
    device_class: str
    alive: bool
    beat_at: datetime
    started_at: datetime
    job_id: int | None
    """The job that it trains, if that is the actor's own; None also while it is idle."""
    job_name: str
    busy: bool
    utilisation: float
    """0..1, of the GPU where there is one, else of the processor."""
    memory_used: int
    memory_total: int
    cores: int
    pid: int = 0
    draining: bool = False
    pool: str = field(default=CPU, metadata=json_key("box"))
    """The name of its shape (`machines.Shape.name`)."""
    gpus: int = 0
    """How many it owns; a job may need all of them."""
    gpu_memory_used: int = 0
    gpu_memory_total: int = 0
    """0: it has no GPU."""
    job_owner: str = ""
    """Whose job it trains, for an administrator."""
    past: list[list[float]] = field(default_factory=list)
    """[utilisation, share of its memory] at each of its last heartbeats, the oldest first."""


def beat(
    session: Session,
    name: str,
    *,
    host: str,
    device: str,
    device_class: str,
    pid: int,
    job_id: int | None,
    stats: dict[str, Any],
    started_at: datetime,
    pool: str = "",
    gpus: Sequence[int] = (),
) -> bool:
    """Writes a worker's heartbeat; True when it should take nothing more."""
    record = session.get(Worker, name) or Worker(name=name, host=host, started_at=started_at)
    record.host, record.device, record.device_class, record.pid = host, device, device_class, pid
    record.pool, record.gpus = pool or device_class, list(gpus)
    record.job_id, record.stats, record.beat_at, record.started_at = job_id, stats, utcnow(), started_at
    session.add(record)
    session.flush()
    return record.draining


def is_draining(session: Session, name: str) -> bool:
    """Whether an administrator asked this worker to take nothing more."""
    return bool(session.exec(select(Worker.draining).where(Worker.name == name)).first())


def remove_worker(session: Session, name: str) -> None:
    """Removes a worker that has ended."""
    session.exec(delete(Worker).where(col(Worker.name) == name))


def remove_dead_workers(session: Session) -> int:
    """Removes workers without a heartbeat for a day; how many."""
    dead = delete(Worker).where(col(Worker.beat_at) < utcnow() - _FORGET_AFTER)
    return session.exec(dead).rowcount


def list_workers(session: Session, actor: Actor) -> list[WorkerRow]:
    """Every training worker, living ones first. A job is named to its owner and to administrators only."""
    records = session.exec(select(Worker).where(Worker.device_class != PREP).order_by(col(Worker.name))).all()
    ids = [record.job_id for record in records if record.job_id]
    statement = (
        select(TrainingJob.id, TrainingJob.name, User.username)
        .join(User, col(User.id) == col(TrainingJob.owner_id))
        .where(col(TrainingJob.id).in_(ids))
    )
    if not actor.is_admin:
        statement = statement.where(TrainingJob.owner_id == actor.user_id)
    names = {job_id or 0: (name, owner) for job_id, name, owner in session.exec(statement)} if ids else {}
    rows = [_row(record, names, actor) for record in records]
    return sorted(rows, key=lambda row: (not row.alive, row.name))


def count_alive(session: Session) -> int:
    """How many training workers are alive."""
    since = utcnow() - timedelta(seconds=ALIVE_S)
    statement = select(Worker.name).where(col(Worker.beat_at) > since, Worker.device_class != PREP)
    return len(session.exec(statement).all())


def largest_device_memory(session: Session, gpu: bool) -> int:
    """Bytes of the largest device of that kind among the living workers; 0 when there are none.

    Of a worker with several GPUs the size of one counts.
    """
    since = utcnow() - timedelta(seconds=ALIVE_S)
    alive = select(Worker).where(col(Worker.beat_at) > since, Worker.device_class == (GPU if gpu else CPU))
    return max((_device_memory(worker, gpu) for worker in session.exec(alive)), default=0)


def _device_memory(worker: Worker, gpu: bool) -> int:
    stats = worker.stats or {}
    if not gpu:
        return int(stats.get("memory_total") or 0)
    return int(stats.get("gpu_memory_total") or 0) // max(1, len(worker.gpus or []))


def _row(record: Worker, names: dict[int, tuple[str, str]], actor: Actor) -> WorkerRow:
    stats = record.stats or {}
    name, owner = names.get(record.job_id or 0, ("", ""))
    mine = bool(name)
    return WorkerRow(
        name=record.name,
        host=record.host,
        device=record.device,
        device_class=record.device_class,
        alive=(utcnow() - record.beat_at).total_seconds() < ALIVE_S,
        beat_at=record.beat_at,
        started_at=record.started_at,
        job_id=record.job_id if mine else None,
        job_name=name,
        busy=record.job_id is not None,
        utilisation=float(stats.get("utilisation", 0.0)),
        memory_used=int(stats.get("memory_used", 0)),
        memory_total=int(stats.get("memory_total", 0)),
        cores=int(stats.get("cores", 0)),
        pid=record.pid if actor.is_admin else 0,
        draining=record.draining,
        pool=record.pool or record.device_class,
        gpus=len(record.gpus or []),
        gpu_memory_used=int(stats.get("gpu_memory_used", 0)),
        gpu_memory_total=int(stats.get("gpu_memory_total", 0)),
        job_owner=owner if actor.is_admin else "",
        past=list(stats.get("past") or []),
    )
