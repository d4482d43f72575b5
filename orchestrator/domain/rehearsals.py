"""The table of rehearsals: two real steps of a recipe on a worker, which measure the run's memory and speed."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Column
from sqlmodel import Field, SQLModel

from orchestrator.domain.base import UtcDateTime, text_enum, utcnow


class RehearsalStatus(StrEnum):
    """waiting -> running -> done | failed."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class Rehearsal(SQLModel, table=True):
    """One rehearsal; its result also predicts every later run of the same shape."""

    __tablename__ = "rehearsals"
    __table_args__ = {"sqlite_autoincrement": True}

    id: int | None = Field(default=None, primary_key=True)
    owner_id: int = Field(foreign_key="users.id", ondelete="CASCADE", index=True)
    dataset_id: int = Field(foreign_key="datasets.id", ondelete="CASCADE", index=True)
    dataset_version: int = Field(default=1)
    model_id: int = Field(foreign_key="video_models.id", ondelete="CASCADE", index=True)
    shape: str = Field(max_length=64, index=True)
    """Digest of all that determines memory and speed: base revision, clips, batch, frames, precision, adapters."""
    recipe: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    status: RehearsalStatus = Field(default=RehearsalStatus.WAITING, sa_type=text_enum(RehearsalStatus))  # type: ignore[arg-type]
    device: str = Field(default="", max_length=64)
    result: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    """memory_bytes, weights_bytes, load_s, step_s, eval_s, trainable, visual_tokens, context_tokens, targets."""
    error: str = Field(default="", max_length=1000)
    created_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)  # type: ignore[arg-type]
    finished_at: datetime | None = Field(default=None, sa_type=UtcDateTime)  # type: ignore[arg-type]
