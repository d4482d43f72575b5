"""Says which workers could take a job: the boxes that are open, how much room each has, and which one suits a need."""

from collections import Counter
from datetime import timedelta

from sqlalchemy import func
from sqlmodel import Session, col, select

from orchestrator.domain.base import utcnow
from orchestrator.domain.machines import ANY, CPU, GPU, PREP, Shape, asks, shape_of
from orchestrator.domain.training_jobs import ON_WORKER, JobStatus, TrainingJob
from orchestrator.domain.workers import ALIVE_S, Worker

Boxes = Counter[str]
"""A box (`machines.Shape.word`) to a number of workers."""


def open_boxes(session: Session) -> Boxes:
    """The boxes that living workers take letters from, each with how many they are."""
    return Counter(box for _, box, draining in _living(session) if not draining)


def room_of(session: Session) -> Boxes:
    """How many more letters may lie in each open box: one a free worker; one also while no worker is there yet."""
    living = _living(session)
    boxes = {name: box for name, box, draining in living if not draining}
    room = Counter(boxes.values()) if living else Counter({CPU: 1})
    busy = select(TrainingJob.worker).where(
        col(TrainingJob.status).in_(ON_WORKER), col(TrainingJob.worker).in_(list(boxes))
    )
    room.subtract(Counter(boxes[name] for name in session.exec(busy)))
    out = select(TrainingJob.pool, func.count(col(TrainingJob.id))).where(
        TrainingJob.status == JobStatus.QUEUED, col(TrainingJob.sent_at).is_not(None)
    )
    for box, letters in session.exec(out.group_by(col(TrainingJob.pool))):
        room[box or CPU] -= letters
    return room


def suiting(room: Boxes, need: Shape) -> str:
    """The box with room that suits, the smallest that does; "" when none has any.

    `any` waits for a GPU where there is one: on a processor the same run may take a hundred times as long.
    """
    if need.kind == ANY:
        need = Shape(GPU) if any(shape_of(box).kind == GPU for box in room) else Shape(CPU)
    free = [shape_of(box) for box, left in room.items() if left > 0]
    good = sorted((shape for shape in free if shape.holds(need)), key=lambda shape: (shape.gpus, shape.memory_gb))
    return good[0].word if good else ""


def missing(boxes: Boxes, need: Shape) -> str:
    """A sentence when no worker that takes jobs now could ever run this; else ""."""
    shapes = [shape_of(box) for box in boxes]
    if not shapes or any(shape.holds(need) for shape in shapes):
        return ""
    if need.kind == CPU:
        return (
            "No worker trains on a processor now, and this job asks for one. ./loreel worker --device cpu starts one."
        )
    best = max(shapes, key=lambda shape: (shape.gpus >= need.gpus, shape.memory_gb, shape.gpus))
    known = f"The best one has {_brings(best)}." if best.kind == GPU else "None has a GPU."
    return f"No worker has {asks(need)} now. {known} It starts when one joins, or run it again and ask for less."


def _brings(shape: Shape) -> str:
    return f"{shape.gpus} GPUs with {shape.memory_gb} GB each" if shape.gpus > 1 else f"one with {shape.memory_gb} GB"


def _living(session: Session) -> list[tuple[str, str, bool]]:
    """(name, box, draining) of each training worker that gave a sign of life in the last seconds."""
    fresh = utcnow() - timedelta(seconds=ALIVE_S)
    found = select(Worker.name, Worker.pool, Worker.draining).where(
        col(Worker.beat_at) > fresh, Worker.device_class != PREP
    )
    return [(name, box or CPU, draining) for name, box, draining in session.exec(found)]
