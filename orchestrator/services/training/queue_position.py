"""Says where a waiting job stands: how many go before it, when it probably starts, what holds it up."""

from collections import defaultdict, deque
from dataclasses import dataclass
from datetime import timedelta

from sqlmodel import Session, col, select

from orchestrator.domain.base import utcnow
from orchestrator.domain.machines import shape_of
from orchestrator.domain.queueing import QueueControl
from orchestrator.domain.training_jobs import ON_WORKER, JobStatus, TrainingJob
from orchestrator.domain.users import Actor
from orchestrator.services.access import owned_job
from orchestrator.services.training.capacity import Boxes, missing, open_boxes
from orchestrator.services.training.dispatch import NAME, Turns, turns_of

_SIMULATED = 5_000
_LEARN_FROM = 20


@dataclass(frozen=True, slots=True)
class Place:
    """A waiting job's place."""

    position: int
    """1: the next; 0: it does not wait, or too many do to count."""
    waiting: int
    starts_in_s: float | None
    """None when nobody can tell."""
    held_up: str
    """A sentence when something stands in the way, else ""."""


def place_of(session: Session, actor: Actor, job_id: int) -> Place | None:
    """The place of one's own waiting job; None when it does not wait.

    Raises:
        NotFound: not the actor's job.
    """
    job = owned_job(session, actor, job_id)
    if job.status is not JobStatus.QUEUED:
        return None
    control = session.get(QueueControl, NAME) or QueueControl(name=NAME)
    turns = turns_of(session, control)
    order = _order(session, turns)
    position = order.index(job_id) + 1 if job_id in order else 0
    boxes, need = open_boxes(session), shape_of(job.needs)
    fitting = sum(workers for box, workers in boxes.items() if shape_of(box).holds(need))
    starts = None if control.paused or not fitting else _starts_in(session, position - 1, fitting)
    return Place(position, len(order), starts, _held_up(job, control, turns, boxes))


def _held_up(job: TrainingJob, control: QueueControl, turns: Turns, boxes: Boxes) -> str:
    if control.paused:
        return "The queue is paused. An administrator can let it go on."
    if not boxes:
        return "No worker takes jobs now. Start one with ./loreel worker."
    if sentence := missing(boxes, shape_of(job.needs)):
        return sentence
    if job.sent_at is None and not turns.may(job.owner_id):
        jobs = "one of your jobs trains" if control.per_user == 1 else f"{control.per_user} of your jobs train"
        return f"It starts when another of yours ends: at most {jobs} at once here."
    return ""


def _order(session: Session, turns: Turns) -> list[int]:
    """Every waiting job in the order in which they would start, as far as anybody can know now."""
    rows = session.exec(
        select(TrainingJob.id, TrainingJob.owner_id, TrainingJob.priority, TrainingJob.sent_at)
        .where(TrainingJob.status == JobStatus.QUEUED)
        .order_by(col(TrainingJob.id))
        .limit(_SIMULATED)
    ).all()
    order = [job_id or 0 for job_id, _, _, sent in rows if sent is not None]
    lines: dict[tuple[int, int], deque[int]] = defaultdict(deque)
    for job_id, owner_id, priority, sent in rows:
        if sent is None:
            lines[owner_id, priority].append(job_id or 0)
    now = utcnow()
    while lines:
        owner_id, priority = min(lines, key=lambda line: turns.key(*line, lines[line][0]))
        order.append(lines[owner_id, priority].popleft())
        now += timedelta(seconds=1)
        turns.take(owner_id, now)
        if not lines[owner_id, priority]:
            del lines[owner_id, priority]
    return order


def _starts_in(session: Session, ahead: int, workers: int) -> float | None:
    """What runs still needs, and the usual length of what goes before, shared by the workers."""
    running = session.exec(select(TrainingJob.summary).where(col(TrainingJob.status).in_(ON_WORKER))).all()
    if ahead <= 0 and len(running) < workers:
        return 0.0
    usual = _usual_length(session)
    left = [(summary or {}).get("eta_s") for summary in running]
    if usual is None and (ahead > 0 or any(eta is None for eta in left)):
        return None
    return round(
        (sum(usual or 0.0 if eta is None else eta for eta in left) + max(0, ahead) * (usual or 0.0)) / workers, 1
    )


def _usual_length(session: Session) -> float | None:
    done = (
        select(TrainingJob.started_at, TrainingJob.finished_at)
        .where(TrainingJob.status == JobStatus.COMPLETED)
        .order_by(col(TrainingJob.id).desc())
        .limit(_LEARN_FROM)
    )
    lengths = [(end - begin).total_seconds() for begin, end in session.exec(done) if begin and end]
    return sorted(lengths)[len(lengths) // 2] if lengths else None
