"""Reads everything that the job page shows except its curves, in one transaction."""

from dataclasses import dataclass

from sqlmodel import Session

from orchestrator.domain import formatting
from orchestrator.domain.errors import AppError
from orchestrator.domain.tasks import TASK_OF_MODEL
from orchestrator.domain.users import Actor
from orchestrator.services.adapters.catalog import list_adapters
from orchestrator.services.metrics.logs import tail
from orchestrator.services.metrics.telemetry import telemetry
from orchestrator.services.models.catalog import get_model
from orchestrator.services.training.artifacts import find_artifact, list_artifacts
from orchestrator.services.training.jobs import get_job, list_events
from orchestrator.services.training.queue_position import find_position
from orchestrator.services.training.rows import JobRow
from orchestrator.services.workers import list_workers
from orchestrator.states.jobs.detail_tabs import QueuePositionLine, queue_position_line
from orchestrator.states.jobs.device import NO_DEVICE, DeviceFacts, Gauge, device_facts, gauges
from orchestrator.states.jobs.live_follower import TAIL
from orchestrator.states.jobs.rows import EventLine, LogLine, event_line, log_row_line


@dataclass(frozen=True, slots=True)
class Visit:
    """A job with its timeline, log tail and results."""

    row: JobRow
    events: list[EventLine]
    tail: list[LogLine]
    adapter_bytes: int
    clips: str
    load_code: str
    queue_position: QueuePositionLine
    memory_at_end: int
    contrasts: bool
    version_id: int = 0
    device: DeviceFacts = NO_DEVICE
    load: tuple[Gauge, ...] = ()
    """The newest telemetry sample of an active job."""
    version: str = ""
    """The adapter version that it made: "demo-motion v3"."""


def visit_job(session: Session, actor: Actor, job_id: int) -> Visit:
    """The job, its timeline, the end of its log and its adapter.

    Raises:
        NotFound: there is none, or it belongs to another user.
    """
    row = get_job(session, actor, job_id)
    device = device_facts(list_workers(session, actor), row.worker) if row.active and row.worker else NO_DEVICE
    versions = list_adapters(session, actor, job_id=job_id, limit=1).items
    files = [file for file in list_artifacts(session, actor, job_id) if file.name.startswith("adapter/")]
    train, validation = row.summary.train_clips, row.summary.validation_clips
    clips = f"{formatting.count(train)} train, {formatting.count(validation)} val" if train and validation else ""
    return Visit(
        row=row,
        events=[event_line(event) for event in list_events(session, actor, job_id)],
        tail=_tail(session, actor, job_id),
        adapter_bytes=sum(file.size_bytes for file in files),
        clips=clips,
        load_code=_load_code(session, actor, job_id) if files else "",
        memory_at_end=_memory_at_end(session, actor, row) if row.status == "failed" else 0,
        contrasts=row.status == "failed" and _contrasts(session, actor, row),
        version_id=versions[0].id if versions else 0,
        version=f"{versions[0].name} v{versions[0].version}" if versions else "",
        device=device,
        load=_load(session, actor, row, device),
        queue_position=queue_position_line(find_position(session, actor, job_id)),
    )


def _load(session: Session, actor: Actor, row: JobRow, device: DeviceFacts) -> tuple[Gauge, ...]:
    """What the newest sample of an active job says of its device."""
    if not row.active:
        return ()
    curves = telemetry(session, actor, row.id, points=10).series
    return tuple(gauges(device, {name: curve[-1][1] for name, curve in curves.items() if curve}))


def _memory_at_end(session: Session, actor: Actor, row: JobRow) -> int:
    """Bytes in use at the last telemetry sample; 0 when there is none."""
    curve = telemetry(session, actor, row.id, points=10).series.get("memory")
    return int(curve[-1][1]) if curve else 0


def _contrasts(session: Session, actor: Actor, row: JobRow) -> bool:
    """Whether its loss compares the clips of a batch; False where the base was deleted: it cannot be launched again."""
    try:
        return (
            row.model_id is not None and TASK_OF_MODEL[get_model(session, actor, row.model_id).model_type].contrastive
        )
    except AppError:
        return False


def _tail(session: Session, actor: Actor, job_id: int) -> list[LogLine]:
    try:
        return [log_row_line(line) for line in tail(session, actor, job_id, limit=TAIL).lines]
    except AppError:
        return []


def _load_code(session: Session, actor: Actor, job_id: int) -> str:
    """The program in the adapter's model card, so that the page and the download show the same."""
    try:
        card = find_artifact(session, actor, job_id, "adapter/README.md")[0].read_text()
    except (AppError, OSError):
        return ""
    return program_of(card)


def program_of(card: str) -> str:
    """The first Python block of a model card, or ""."""
    _, fence, rest = card.partition("```python\n")
    return rest.partition("```")[0].rstrip() if fence else ""
