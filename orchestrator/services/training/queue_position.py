"""The position of a waiting job: how many start before it, when it will probably start, and what blocks it."""

from collections import defaultdict, deque
from dataclasses import dataclass, field
from datetime import timedelta

from sqlmodel import Session, col, select

from orchestrator.domain.base import utcnow
from orchestrator.domain.json_keys import json_key
from orchestrator.domain.machines import parse_shape
from orchestrator.domain.queueing import QueueControl
from orchestrator.domain.training_jobs import ON_WORKER, JobStatus, TrainingJob
from orchestrator.domain.users import Actor
from orchestrator.services.access import owned_job
from orchestrator.services.training.capacity import PoolCounts, missing_hardware, open_pools
from orchestrator.services.training.dispatch import QUEUE_NAME, FairShare, fair_share_of

_MAX_SIMULATED = 5_000
_RECENT_JOBS = 20


@dataclass(frozen=True, slots=True)
class QueuePosition:
    """The position of a waiting job in the queue."""

    position: int
    """1 for the next job; 0 where it does not wait, or where there are too many to count."""
    waiting: int
    starts_in_s: float | None
    """None where it cannot be estimated."""
    blocked_by: str = field(metadata=json_key("held_up"))
    """Why it cannot start now, as a sentence; else ""."""


def find_position(session: Session, actor: Actor, job_id: int) -> QueuePosition | None:
    """The position of a waiting job of the actor's; None when it does not wait.

    Raises:
        NotFound: not the actor's job.
    """
    job = owned_job(session, actor, job_id)
    if job.status is not JobStatus.QUEUED:
        return None
    control = session.get(QueueControl, QUEUE_NAME) or QueueControl(name=QUEUE_NAME)
    share = fair_share_of(session, control)
    order = _start_order(session, share)
    position = order.index(job_id) + 1 if job_id in order else 0
    pools, need = open_pools(session), parse_shape(job.needs)
    suitable = sum(workers for pool, workers in pools.items() if parse_shape(pool).can_run(need))
    starts = None if control.paused or not suitable else _starts_in(session, position - 1, suitable)
    return QueuePosition(position, len(order), starts, _blocker(job, control, share, pools))


def _blocker(job: TrainingJob, control: QueueControl, share: FairShare, pools: PoolCounts) -> str:
    if control.paused:
        return "The queue is paused. An administrator can resume it."
    if not pools:
        return "No worker takes jobs now. Start one with ./loreel worker."
    if sentence := missing_hardware(pools, parse_shape(job.needs)):
        return sentence
    if job.sent_at is None and not share.may_start(job.owner_id):
        jobs = "one of your jobs trains" if control.per_user == 1 else f"{control.per_user} of your jobs train"
        return f"It starts when another of yours ends: at most {jobs} at once here."
    return ""


def _start_order(session: Session, share: FairShare) -> list[int]:
    """The ids of all waiting jobs in the order in which they would start, by simulating `dispatch`."""
    rows = session.exec(
        select(TrainingJob.id, TrainingJob.owner_id, TrainingJob.priority, TrainingJob.sent_at)
        .where(TrainingJob.status == JobStatus.QUEUED)
        .order_by(col(TrainingJob.id))
        .limit(_MAX_SIMULATED)
    ).all()
    order = [job_id or 0 for job_id, _, _, sent in rows if sent is not None]
    lines: dict[tuple[int, int], deque[int]] = defaultdict(deque)
    for job_id, owner_id, priority, sent in rows:
        if sent is None:
            lines[owner_id, priority].append(job_id or 0)
    now = utcnow()
    while lines:
        owner_id, priority = min(lines, key=lambda line: share.key(*line, lines[line][0]))
        order.append(lines[owner_id, priority].popleft())
        now += timedelta(seconds=1)
        share.record_start(owner_id, now)
        if not lines[owner_id, priority]:
            del lines[owner_id, priority]
    return order


def _starts_in(session: Session, ahead: int, workers: int) -> float | None:
    """Seconds until a worker is free: the remaining time of running jobs plus the usual length of those ahead, divided
    by the number of workers; None where that is not known."""
    running = session.exec(select(col(TrainingJob.summary)).where(col(TrainingJob.status).in_(ON_WORKER))).all()
    if ahead <= 0 and len(running) < workers:
        return 0.0
    usual = _usual_length(session)
    left = [summary.eta_s for summary in running]
    if usual is None and (ahead > 0 or any(eta is None for eta in left)):
        return None
    return round(
        (sum(usual or 0.0 if eta is None else eta for eta in left) + max(0, ahead) * (usual or 0.0)) / workers, 1
    )


def _usual_length(session: Session) -> float | None:
    """The median duration of recent jobs in seconds; None before the first."""
    done = (
        select(TrainingJob.started_at, TrainingJob.finished_at)
        .where(TrainingJob.status == JobStatus.COMPLETED)
        .order_by(col(TrainingJob.id).desc())
        .limit(_RECENT_JOBS)
    )
    lengths = [(end - begin).total_seconds() for begin, end in session.exec(done) if begin and end]
    return sorted(lengths)[len(lengths) // 2] if lengths else None
