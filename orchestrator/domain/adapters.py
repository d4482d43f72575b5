"""Tables of adapters: the versions that jobs made, the line (name) they belong to, and operations on them."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, BigInteger, Column, UniqueConstraint
from sqlmodel import Field, SQLModel

from orchestrator.domain.base import UtcDateTime, text_enum, utcnow
from orchestrator.domain.run_summary import RunSummary
from orchestrator.domain.run_summary_column import SummaryColumn


class ResultKind(StrEnum):
    """What a job produced: low-rank weights for a base, or a complete model. The value is also the folder's name."""

    ADAPTER = "adapter"
    MODEL = "model"


class OperationKind(StrEnum):
    """What a worker can do with a finished adapter."""

    MERGE = "merge"
    PUSH = "push"


class OperationStatus(StrEnum):
    """waiting: its message is in the queue; running: a worker has taken it."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


OPERATION_STAGES = ("loading", "merging", "writing", "sending")
"""What a running operation does."""
ACTIVE_OPERATIONS = frozenset({OperationStatus.WAITING, OperationStatus.RUNNING})


class AdapterLine(SQLModel, table=True):
    """All versions of one name. It holds the version counter, so that the number of a deleted version is not reused."""

    __tablename__ = "adapter_lines"
    __table_args__ = (UniqueConstraint("owner_id", "name"), {"sqlite_autoincrement": True})

    id: int | None = Field(default=None, primary_key=True)
    owner_id: int = Field(foreign_key="users.id", ondelete="CASCADE", index=True)
    name: str = Field(max_length=64)
    last_version: int = 0
    production_version: int | None = None
    """At most one version of a line is in production: a single column cannot name two."""
    created_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)  # type: ignore[arg-type]


class Adapter(SQLModel, table=True):
    """One version. The names of its job, dataset and base are copied, because those records may be deleted later."""

    __tablename__ = "adapters"
    __table_args__ = (
        UniqueConstraint("line_id", "version"),
        # An id names a folder, so that the id of a deleted adapter must not be reused.
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True)
    owner_id: int = Field(foreign_key="users.id", ondelete="CASCADE", index=True)
    line_id: int = Field(foreign_key="adapter_lines.id", ondelete="CASCADE", index=True)
    name: str = Field(max_length=64)
    """The name of its line."""
    version: int
    kind: ResultKind = Field(sa_type=text_enum(ResultKind))  # type: ignore[arg-type]
    task: str = Field(default="", max_length=32)
    source_job: int = Field(unique=True)
    """The job's id, which stays when the job is deleted: a job makes one version, in a folder of this number."""
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
    summary: RunSummary = Field(default_factory=RunSummary, sa_column=Column(SummaryColumn, nullable=False))
    """The final summary of its job: the values that the run reached."""
    size_bytes: int = Field(default=0, sa_column=Column(BigInteger, nullable=False, default=0))
    created_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)  # type: ignore[arg-type]


class AdapterOperation(SQLModel, table=True):
    """A merge or a push of an adapter: the request, its progress, its result."""

    __tablename__ = "adapter_works"
    __table_args__ = {"sqlite_autoincrement": True}

    id: int | None = Field(default=None, primary_key=True)
    adapter_id: int = Field(foreign_key="adapters.id", ondelete="CASCADE", index=True)
    kind: OperationKind = Field(sa_type=text_enum(OperationKind))  # type: ignore[arg-type]
    status: OperationStatus = Field(default=OperationStatus.WAITING, sa_type=text_enum(OperationStatus), index=True)  # type: ignore[arg-type]
    stage: str = Field(default="", max_length=32)
    done: int = Field(default=0, sa_column=Column(BigInteger, nullable=False, default=0))
    total: int = Field(default=0, sa_column=Column(BigInteger, nullable=False, default=0))
    error: str = Field(default="", max_length=1000)
    request: dict[str, Any] = Field(default_factory=dict, sa_column=Column("wish", JSON, nullable=False))
    """For a push: repo, private, what (adapter or merged), and the encrypted token until it has ended."""
    result: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    """For a push: url and commit. For a merge: bytes."""
    created_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)  # type: ignore[arg-type]
    finished_at: datetime | None = Field(default=None, sa_type=UtcDateTime)  # type: ignore[arg-type]
