"""The table of base models: folders of safetensors whose config names a supported family."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, BigInteger, Column
from sqlmodel import Field, SQLModel
from typing_extensions import TypedDict

from orchestrator.domain.base import UtcDateTime, text_enum, utcnow
from orchestrator.domain.tasks import ModelType


class ModelSource(StrEnum):
    """Where the weights come from."""

    BUILTIN = "builtin"
    PATH = "path"
    UPLOAD = "upload"
    HUB = "hub"


class ModelStatus(StrEnum):
    """`in_use` is not stored: rows show it for a ready model that an active job trains."""

    PROCESSING = "processing"
    READY = "ready"
    ERROR = "error"


class LayerFacts(TypedDict, total=False):
    """The linear layers whose names end alike; the features are means where their shapes differ."""

    suffix: str
    count: int
    parameters: int
    in_features: int
    out_features: int
    default: bool


class ModelDetails(TypedDict, total=False):
    """What the files of a model say of it; sizes are null where the config has none."""

    frames: int | None
    image_size: int | None
    hidden_size: int | None
    patch_size: int | None
    tubelet_size: int | None
    heads: int | None
    blocks: int | None
    text_hidden: int | None
    text_blocks: int | None
    classes: int
    nf4_bytes: int
    """The size of its weights in 4 bits."""
    eye_parameters: int
    """Parameters of the vision tower."""
    sight: dict[str, float] | None
    """Sizes of the vision tower of a video language model, from which its tokens of a clip follow."""
    layers: list[LayerFacts]
    eye_layers: list[LayerFacts]
    """Those of the vision tower."""
    pretraining: dict[str, object]
    """How a built-in base was made."""
    stage: str
    """While it is processed: receiving, fetching or checking."""
    wanted_revision: str
    hub_revision: str
    """The commit that was downloaded."""
    credential_id: int
    done: int
    total: int


class VideoModel(SQLModel, table=True):
    """A base model. `owner_id` is None for the built-in ones, which everyone can use and no user can edit."""

    __tablename__ = "video_models"
    __table_args__ = {"sqlite_autoincrement": True}

    id: int | None = Field(default=None, primary_key=True)
    owner_id: int | None = Field(default=None, foreign_key="users.id", ondelete="CASCADE", index=True)
    name: str = Field(max_length=80)
    description: str = Field(default="", max_length=2000)
    model_type: ModelType = Field(sa_type=text_enum(ModelType))  # type: ignore[arg-type]
    architecture: str = Field(max_length=64)
    """The family's name as people know it: "VideoMAE", "Flamingo", "Custom"."""
    family: str = Field(default="", max_length=64)
    """The registry key of jobs/families, from config.json's model_type: "videomae"."""
    source: ModelSource = Field(sa_type=text_enum(ModelSource))  # type: ignore[arg-type]
    source_ref: str = Field(default="", max_length=500)
    """Built-in key, local folder, or Hub id."""
    path: str = Field(default="", max_length=500)
    """Absolute folder that holds config.json and the weights."""
    revision: str = Field(default="", max_length=64)
    """SHA-256 of the weights; caches and adapter cards name it as the base revision."""
    status: ModelStatus = Field(default=ModelStatus.PROCESSING, sa_type=text_enum(ModelStatus))  # type: ignore[arg-type]
    error: str = Field(default="", max_length=1000)
    parameters: int = Field(default=0, sa_column=Column(BigInteger, nullable=False, default=0))
    size_bytes: int = Field(default=0, sa_column=Column(BigInteger, nullable=False, default=0))
    details: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    """Facts read from the files: frames, image_size, 4-bit bytes, groups of linear layers (models/inspect.py)."""
    created_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)  # type: ignore[arg-type]
