"""The table of rehearsals: two real steps of a recipe on a worker, which measure the run's memory and speed."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Column
from sqlmodel import Field, SQLModel
from typing_extensions import TypedDict

from orchestrator.domain.base import UtcDateTime, text_enum, utcnow


class RehearsalStatus(StrEnum):
    """waiting -> running -> done | failed."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class AdaptedLayers(TypedDict):
    """The layers with an adapter whose names end alike."""

    suffix: str
    count: int
    parameters: int


class RehearsalFacts(TypedDict, total=False):
    """What a rehearsal measured: sizes in bytes, times in seconds."""

    device_class: str
    revision: str
    memory_bytes: int
    load_s: float
    decode_s: float
    """For one clip."""
    step_s: float
    """For one batch."""
    eval_s: float
    """For one clip."""
    trainable: int
    frames: list[int]
    """Frames, height and width of a clip as the model gets it."""
    visual_tokens: int
    context_tokens: int
    targets: list[AdaptedLayers]
    vision_frozen: bool
    remarks: list[str]


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
    """`RehearsalFacts`; of a failed one only `field`."""
    error: str = Field(default="", max_length=1000)
    created_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)  # type: ignore[arg-type]
    finished_at: datetime | None = Field(default=None, sa_type=UtcDateTime)  # type: ignore[arg-type]
