"""Reads what the job page shows besides its curves, in one visit to the ledger."""

from dataclasses import dataclass

from sqlmodel import Session

from orchestrator.domain.errors import AppError
from orchestrator.domain.users import Actor
from orchestrator.services.metrics.logs import tail
from orchestrator.services.training.artifacts import list_artifacts
from orchestrator.services.training.jobs import get_job, list_events
from orchestrator.services.training.rows import JobRow
from orchestrator.states import words
from orchestrator.states.job_live import TAIL
from orchestrator.states.job_rows import EventLine, LogLine, event_line, log_row_line


@dataclass(frozen=True, slots=True)
class Visit:
    """A job and what stands around it."""

    row: JobRow
    events: list[EventLine]
    tail: list[LogLine]
    adapter_bytes: int
    clips: str
    load_code: str


def visit_job(session: Session, actor: Actor, job_id: int) -> Visit:
    """The job, its timeline, the end of its log and its adapter.

    Raises:
        NotFound: there is none, or it is somebody else's.
    """
    row = get_job(session, actor, job_id)
    files = [file for file in list_artifacts(session, actor, job_id) if file.name.startswith("adapter/")]
    train, held = row.summary.get("train_clips"), row.summary.get("validation_clips")
    clips = f"{words.count(train)} train, {words.count(held)} val" if train and held else ""
    return Visit(
        row=row,
        events=[event_line(event) for event in list_events(session, actor, job_id)],
        tail=_tail(session, actor, job_id),
        adapter_bytes=sum(file.size_bytes for file in files),
        clips=clips,
        load_code=load_code(row.name) if files else "",
    )


def _tail(session: Session, actor: Actor, job_id: int) -> list[LogLine]:
    try:
        return [log_row_line(line) for line in tail(session, actor, job_id, limit=TAIL).lines]
    except AppError:
        return []


def load_code(name: str) -> str:
    """How a plain script takes the unzipped adapter up again."""
    return (
        "from peft import PeftConfig, PeftModel\n"
        "from transformers import AutoModelForVideoClassification\n"
        "\n"
        f'adapter = "{name}"\n'
        "config = PeftConfig.from_pretrained(adapter)\n"
        "base = AutoModelForVideoClassification.from_pretrained(config.base_model_name_or_path)\n"
        "model = PeftModel.from_pretrained(base, adapter).eval()"
    )
