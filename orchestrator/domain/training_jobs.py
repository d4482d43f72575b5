"""Tables of training jobs: statuses and their transitions, attempts, the timeline of events, and the form's draft."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Column, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from orchestrator.domain.base import UtcDateTime, text_enum, utcnow
from orchestrator.domain.failures import FailureKind
from orchestrator.domain.run_summary import RunSummary
from orchestrator.domain.run_summary_column import SummaryColumn


class JobStatus(StrEnum):
    """queued -> starting -> running -> completed | failed | stopping -> stopped; running -> lost -> queued; a failed or
    stopped job is queued again when it is resumed. `TRANSITIONS` has all of them."""

    QUEUED = "queued"
    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    LOST = "lost"
    COMPLETED = "completed"
    FAILED = "failed"
    STOPPED = "stopped"


ACTIVE = frozenset({JobStatus.QUEUED, JobStatus.STARTING, JobStatus.RUNNING, JobStatus.STOPPING, JobStatus.LOST})
FINAL = frozenset({JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.STOPPED})

ON_WORKER = frozenset({JobStatus.STARTING, JobStatus.RUNNING, JobStatus.STOPPING})
"""Statuses in which the job is assigned to a worker."""

TRANSITIONS: dict[JobStatus, frozenset[JobStatus]] = {
    JobStatus.QUEUED: frozenset({JobStatus.STARTING, JobStatus.STOPPED, JobStatus.FAILED}),
    JobStatus.STARTING: frozenset(
        {JobStatus.RUNNING, JobStatus.STOPPING, JobStatus.STOPPED, JobStatus.FAILED, JobStatus.LOST}
    ),
    JobStatus.RUNNING: frozenset(
        {JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.STOPPING, JobStatus.STOPPED, JobStatus.LOST}
    ),
    JobStatus.STOPPING: frozenset({JobStatus.STOPPED, JobStatus.FAILED, JobStatus.COMPLETED}),
    JobStatus.LOST: frozenset({JobStatus.QUEUED, JobStatus.FAILED, JobStatus.STOPPED}),
    JobStatus.COMPLETED: frozenset(),
    JobStatus.FAILED: frozenset({JobStatus.QUEUED}),
    JobStatus.STOPPED: frozenset({JobStatus.QUEUED}),
}


class TrainingJob(SQLModel, table=True):
    """A run: its dataset and base model, the frozen recipe, its progress and its result."""

    __tablename__ = "training_jobs"
    __table_args__ = (
        UniqueConstraint("owner_id", "idempotency_key"),
        Index("ix_training_jobs_status_created", "status", "created_at"),
        Index("ix_training_jobs_owner_created", "owner_id", "created_at"),
        Index("ix_training_jobs_owner_status", "owner_id", "status", "finished_at"),
        Index("ix_training_jobs_waiting", "status", "priority", "owner_id"),
        # An id names a folder and Redis keys, so that the id of a deleted job must not be reused.
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True)
    owner_id: int = Field(foreign_key="users.id", ondelete="CASCADE", index=True)
    name: str = Field(max_length=64)
    dataset_id: int | None = Field(default=None, foreign_key="datasets.id", ondelete="SET NULL", index=True)
    dataset_name: str = Field(max_length=80)
    """A copy, so that a job still names its dataset when that was deleted."""
    dataset_version: int = 1
    model_id: int | None = Field(default=None, foreign_key="video_models.id", ondelete="SET NULL", index=True)
    model_name: str = Field(max_length=80)
    model_revision: str = Field(default="", max_length=64)
    recipe: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    idempotency_key: str = Field(max_length=80)
    request_hash: str = Field(default="", max_length=64)
    """The hash of what was asked for with the key; "" for jobs from before it was stored."""
    status: JobStatus = Field(default=JobStatus.QUEUED, sa_type=text_enum(JobStatus))  # type: ignore[arg-type]
    attempt: int = 0
    """Counts starts; a trainer of an older attempt is fenced off: its writes are refused."""
    worker: str = Field(default="", max_length=120)
    priority: int = 0
    """A `queueing.Priority`."""
    sent_at: datetime | None = Field(default=None, sa_type=UtcDateTime)  # type: ignore[arg-type]
    """When its message was put into a worker queue; None while it waits to be dispatched."""
    needs: str = Field(default="any", max_length=32)
    """The hardware that the recipe asks for, as a name (`machines.Shape.name`)."""
    pool: str = Field(default="", max_length=32, sa_column_kwargs={"name": "box"})
    """The worker pool its message was sent to: all workers of one shape share a queue."""
    sweep_id: int | None = Field(default=None, foreign_key="sweeps.id", ondelete="SET NULL", index=True)
    step: int = 0
    total_steps: int = 0
    epoch: float = 0.0
    summary: RunSummary = Field(default_factory=RunSummary, sa_column=Column(SummaryColumn, nullable=False))
    error: str = Field(default="", max_length=2000)
    """Why it failed, one or two sentences; details are in the log."""
    error_details: str = Field(default="", max_length=8000)
    failure: FailureKind | None = Field(default=None, sa_type=text_enum(FailureKind), nullable=True)  # type: ignore[arg-type]
    """Why it failed, as a word; None unless it failed."""
    created_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)  # type: ignore[arg-type]
    started_at: datetime | None = Field(default=None, sa_type=UtcDateTime)  # type: ignore[arg-type]
    finished_at: datetime | None = Field(default=None, sa_type=UtcDateTime)  # type: ignore[arg-type]


class JobEvent(SQLModel, table=True):
    """One entry of a job's timeline and of the overview's recent activity."""

    __tablename__ = "job_events"

    id: int | None = Field(default=None, primary_key=True)
    job_id: int = Field(foreign_key="training_jobs.id", ondelete="CASCADE", index=True)
    kind: str = Field(max_length=32)
    """A status (queued, starting, running, ...), or a note: requeued, suspended, saved, freed, adapter, clips,
    captions, device, cache, memory, exported."""
    message: str = Field(max_length=500)
    at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime, index=True)  # type: ignore[arg-type]


class WizardDraft(SQLModel, table=True):
    """The values of an unfinished job form, so that a reload loses nothing; one for each opening of the wizard."""

    __tablename__ = "wizard_drafts"
    # An address names a draft, so that the id of a deleted one must not be reused.
    __table_args__ = (UniqueConstraint("user_id", "launch_key"), {"sqlite_autoincrement": True})

    id: int | None = Field(default=None, primary_key=True)
    user_id: int = Field(foreign_key="users.id", ondelete="CASCADE", index=True)
    values: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    launch_key: str = Field(max_length=80)
    """The idempotency key of the launch, so that a double click launches once."""
    tab: str = Field(default="", max_length=32)
    """The browser tab that stored it last."""
    edit: int = 0
    """The number of that tab's change; with `tab` it tells whether another tab changed the draft meanwhile."""
    updated_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class JobRef:
    """What a list needs to name a job and link to it."""

    id: int
    name: str
    status: str
