"""Which workers could take a job: the pools with workers, their free slots, and the pool that suits a requirement."""

from collections import Counter
from datetime import timedelta

from sqlalchemy import func
from sqlmodel import Session, col, select

from orchestrator.domain.base import utcnow
from orchestrator.domain.machines import ANY, CPU, GPU, PREP, Shape, describe_need, parse_shape
from orchestrator.domain.training_jobs import ON_WORKER, JobStatus, TrainingJob
from orchestrator.domain.workers import ALIVE_S, Worker

PoolCounts = Counter[str]
"""A number of workers or slots by pool (`machines.Shape.name`)."""


def open_pools(session: Session) -> PoolCounts:
    """The pools of live workers that take jobs, each with the number of its workers."""
    return Counter(pool for _, pool, draining in _live_workers(session) if not draining)


def free_slots(session: Session) -> PoolCounts:
    """How many more jobs each pool can be sent: one per idle worker; before the first worker has started also one."""
    live = _live_workers(session)
    pool_of = {name: pool for name, pool, draining in live if not draining}
    slots = Counter(pool_of.values()) if live else Counter({CPU: 1})
    busy = select(TrainingJob.worker).where(
        col(TrainingJob.status).in_(ON_WORKER), col(TrainingJob.worker).in_(list(pool_of))
    )
    slots.subtract(Counter(pool_of[name] for name in session.exec(busy)))
    sent = select(TrainingJob.pool, func.count(col(TrainingJob.id))).where(
        TrainingJob.status == JobStatus.QUEUED, col(TrainingJob.sent_at).is_not(None)
    )
    for pool, count in session.exec(sent.group_by(col(TrainingJob.pool))):
        slots[pool or CPU] -= count
    return slots


def suitable_pool(slots: PoolCounts, need: Shape) -> str:
    """The smallest pool with a free slot that meets the requirement; "" where none does.

    A job for `any` hardware waits for a GPU where there is one: on a CPU the same run may take a hundred times as long.
    """
    if need.kind == ANY:
        need = Shape(GPU) if any(parse_shape(pool).kind == GPU for pool in slots) else Shape(CPU)
    free = [parse_shape(pool) for pool, count in slots.items() if count > 0]
    suitable = sorted((shape for shape in free if shape.can_run(need)), key=lambda shape: (shape.gpus, shape.memory_gb))
    return suitable[0].name if suitable else ""


def missing_hardware(pools: PoolCounts, need: Shape) -> str:
    """What is missing when no live worker could ever run this, as a sentence; else ""."""
    shapes = [parse_shape(pool) for pool in pools]
    if not shapes or any(shape.can_run(need) for shape in shapes):
        return ""
    if need.kind == CPU:
        return (
            "No worker trains on a processor now, and this job asks for one. ./loreel worker --device cpu starts one."
        )
    best = max(shapes, key=lambda shape: (shape.gpus >= need.gpus, shape.memory_gb, shape.gpus))
    known = f"The best one has {_gpus(best)}." if best.kind == GPU else "None has a GPU."
    return (
        f"No worker has {describe_need(need)} now. {known} It starts when one joins, or run it again and ask for less."
    )


def _gpus(shape: Shape) -> str:
    return f"{shape.gpus} GPUs with {shape.memory_gb} GB each" if shape.gpus > 1 else f"one with {shape.memory_gb} GB"


def _live_workers(session: Session) -> list[tuple[str, str, bool]]:
    """(name, pool, draining) of each training worker with a recent heartbeat."""
    fresh = utcnow() - timedelta(seconds=ALIVE_S)
    workers = select(Worker.name, Worker.pool, Worker.draining).where(
        col(Worker.beat_at) > fresh, Worker.device_class != PREP
    )
    return [(name, pool or CPU, draining) for name, pool, draining in session.exec(workers)]
