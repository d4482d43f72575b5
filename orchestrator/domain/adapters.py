"""What an adapter is: the versioned result of a job, in a named line, with everything it came from."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, BigInteger, Column, UniqueConstraint
from sqlmodel import Field, SQLModel

from orchestrator.domain.base import UtcDateTime, utcnow, word_enum


class ResultKind(StrEnum):
    """What a job left: low-rank weights beside a base, or a whole model. The word is also its folder's name."""

    ADAPTER = "adapter"
    MODEL = "model"


class WorkKind(StrEnum):
    """What a worker does with an adapter afterwards."""

    MERGE = "merge"
    PUSH = "push"


class WorkStatus(StrEnum):
    """waiting: its letter is in the box; running: a worker has it."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


WORK_ACTIVE = frozenset({WorkStatus.WAITING, WorkStatus.RUNNING})


class AdapterLine(SQLModel, table=True):
    """The versions of one name. The counter lives here, so that a deleted version's number never comes back."""

    __tablename__ = "adapter_lines"
    __table_args__ = (UniqueConstraint("owner_id", "name"), {"sqlite_autoincrement": True})

    id: int | None = Field(default=None, primary_key=True)
    owner_id: int = Field(foreign_key="users.id", ondelete="CASCADE", index=True)
    name: str = Field(max_length=64)
    last_version: int = 0
    production_version: int | None = None
    """One column for the whole line: two versions can never both be the one in use."""
    created_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)  # type: ignore[arg-type]


class Adapter(SQLModel, table=True):
    """One version. Names and numbers of what it came from are kept beside the ids, which may be gone one day."""

    __tablename__ = "adapters"
    __table_args__ = (
        UniqueConstraint("line_id", "version"),
        # An id names a folder, so the id of a deleted adapter must never come back.
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True)
    owner_id: int = Field(foreign_key="users.id", ondelete="CASCADE", index=True)
    line_id: int = Field(foreign_key="adapter_lines.id", ondelete="CASCADE", index=True)
    name: str = Field(max_length=64)
    """The line's."""
    version: int
    kind: ResultKind = Field(sa_type=word_enum(ResultKind))  # type: ignore[arg-type]
    task: str = Field(default="", max_length=32)
    source_job: int = Field(unique=True)
    """The job's number, also when the job is gone: one version a job, and the folder it was written to."""
    job_id: int | None = Field(default=None, foreign_key="training_jobs.id", ondelete="SET NULL", index=True)
    dataset_id: int | None = Field(default=None, foreign_key="datasets.id", ondelete="SET NULL", index=True)
    dataset_name: str = Field(max_length=80)
    dataset_version: int = 1
    model_id: int | None = Field(default=None, foreign_key="video_models.id", ondelete="SET NULL", index=True)
    model_name: str = Field(max_length=80)
    model_revision: str = Field(default="", max_length=64)
    family: str = Field(default="", max_length=64)
    architecture: str = Field(default="", max_length=64)
    recipe: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    summary: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    """What the run reached, as its job's summary had it at the end."""
    size_bytes: int = Field(default=0, sa_column=Column(BigInteger, nullable=False, default=0))
    created_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)  # type: ignore[arg-type]


class AdapterWork(SQLModel, table=True):
    """A merge or a push: what was asked for, how far it is, what came of it."""

    __tablename__ = "adapter_works"
    __table_args__ = {"sqlite_autoincrement": True}

    id: int | None = Field(default=None, primary_key=True)
    adapter_id: int = Field(foreign_key="adapters.id", ondelete="CASCADE", index=True)
    kind: WorkKind = Field(sa_type=word_enum(WorkKind))  # type: ignore[arg-type]
    status: WorkStatus = Field(default=WorkStatus.WAITING, sa_type=word_enum(WorkStatus), index=True)  # type: ignore[arg-type]
    stage: str = Field(default="", max_length=32)
    done: int = Field(default=0, sa_column=Column(BigInteger, nullable=False, default=0))
    total: int = Field(default=0, sa_column=Column(BigInteger, nullable=False, default=0))
    error: str = Field(default="", max_length=1000)
    wish: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    """For a push: repo, private, what (adapter or merged), and the sealed token until it is over."""
    result: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    """For a push: url and commit. For a merge: bytes."""
    created_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)  # type: ignore[arg-type]
    finished_at: datetime | None = Field(default=None, sa_type=UtcDateTime)  # type: ignore[arg-type]
