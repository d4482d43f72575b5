"""What a base model is: a registered folder of safetensors whose config names a family we know."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, BigInteger, Column
from sqlmodel import Field, SQLModel

from orchestrator.domain.base import UtcDateTime, utcnow, word_enum
from orchestrator.domain.tasks import ModelType


class ModelSource(StrEnum):
    """Where the weights come from."""

    BUILTIN = "builtin"
    PATH = "path"
    UPLOAD = "upload"
    HUB = "hub"


class ModelStatus(StrEnum):
    """`in_use` is not stored: it is ready plus an active job, worked out when asked."""

    PROCESSING = "processing"
    READY = "ready"
    ERROR = "error"


class VideoModel(SQLModel, table=True):
    """A base model. `owner_id` is None for the built-in ones, which everyone sees and nobody edits."""

    __tablename__ = "video_models"
    __table_args__ = {"sqlite_autoincrement": True}

    id: int | None = Field(default=None, primary_key=True)
    owner_id: int | None = Field(default=None, foreign_key="users.id", ondelete="CASCADE", index=True)
    name: str = Field(max_length=80)
    description: str = Field(default="", max_length=2000)
    model_type: ModelType = Field(sa_type=word_enum(ModelType))  # type: ignore[arg-type]
    architecture: str = Field(max_length=64)
    """The family's name as people know it: "VideoMAE", "Flamingo", "Custom"."""
    family: str = Field(default="", max_length=64)
    """The registry key of jobs/families, from config.json's model_type: "videomae"."""
    source: ModelSource = Field(sa_type=word_enum(ModelSource))  # type: ignore[arg-type]
    source_ref: str = Field(default="", max_length=500)
    """Built-in key, local folder, or Hub id."""
    path: str = Field(default="", max_length=500)
    """Absolute folder that holds config.json and the weights."""
    revision: str = Field(default="", max_length=64)
    """SHA-256 of the weights: what a cache and an adapter's card name as the base revision."""
    status: ModelStatus = Field(default=ModelStatus.PROCESSING, sa_type=word_enum(ModelStatus))  # type: ignore[arg-type]
    error: str = Field(default="", max_length=1000)
    parameters: int = Field(default=0, sa_column=Column(BigInteger, nullable=False, default=0))
    size_bytes: int = Field(default=0, sa_column=Column(BigInteger, nullable=False, default=0))
    details: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    """Facts read from the files: frames, image_size, 4-bit bytes, linear layer groups, card figures."""
    created_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)  # type: ignore[arg-type]
