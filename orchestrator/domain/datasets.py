"""What a dataset is: a named set of clips that were probed, each with its label or caption and its split."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, BigInteger, Column, Index
from sqlmodel import Field, SQLModel

from orchestrator.domain.base import UtcDateTime, utcnow, word_enum
from orchestrator.domain.tasks import DEFAULT_TASK, Task


class DatasetStatus(StrEnum):
    """draft: waiting for its files; processing: being unpacked and probed."""

    DRAFT = "draft"
    PROCESSING = "processing"
    READY = "ready"
    ERROR = "error"


class Split(StrEnum):
    """Which part of the data a clip belongs to; auto: the trainer splits, seeded and stratified."""

    AUTO = "auto"
    TRAIN = "train"
    VALIDATION = "validation"


class ClipStatus(StrEnum):
    """A bad clip is kept in the list with its reason; a quarantined one is good, but somebody left it out."""

    OK = "ok"
    BAD = "bad"
    QUARANTINED = "quarantined"


class ClipProblem(StrEnum):
    """Why a clip is not learnt from, as a word; `Clip.problem` has the sentence."""

    DUPLICATE = "duplicate"
    """The same bytes as another clip of the dataset."""
    DAMAGED = "damaged"
    """It cannot be decoded, or needs too much for it."""
    NOT_A_VIDEO = "not_a_video"
    NOT_UPLOADED = "not_uploaded"
    """A table names it, but no such file came."""
    NOT_ANNOTATED = "not_annotated"
    """It has no label or caption; it is learnt from as soon as somebody writes one."""


FETCHING = "fetching"
"""A dataset's stage while its bytes come from the network; progress then counts kilobytes."""
REREADING = "rereading"
"""Its stage while what it holds is read once more, in another way."""
UNDERSTANDING = "understanding"
"""Its stage while a worker finds out how new files are laid out, without looking at a single clip."""
REVIEW = "review"
"""Its stage while what was understood waits for somebody to accept or correct it."""


class Dataset(SQLModel, table=True):
    """A dataset of one owner; `error`: why it cannot be used or, when ready, why the last files were not added."""

    __tablename__ = "datasets"
    __table_args__ = (
        Index("ix_datasets_owner_created", "owner_id", "created_at"),
        # An id names a folder, so the id of a deleted dataset must never come back.
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True)
    owner_id: int = Field(foreign_key="users.id", ondelete="CASCADE", index=True)
    name: str = Field(max_length=80)
    description: str = Field(default="", max_length=2000)
    task: Task = Field(default=DEFAULT_TASK, sa_type=word_enum(Task))  # type: ignore[arg-type]
    source: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    """{"type": "upload" | "demo" | "url" | "cloud" | "hub", ...}; "review": what was understood is to be accepted."""
    status: DatasetStatus = Field(default=DatasetStatus.DRAFT, sa_type=word_enum(DatasetStatus))  # type: ignore[arg-type]
    stage: str = Field(default="", max_length=16, sa_column_kwargs={"server_default": ""})
    error: str = Field(default="", max_length=1000)
    progress_done: int = 0
    progress_total: int = 0
    size_bytes: int = Field(default=0, sa_column=Column(BigInteger, nullable=False, default=0))
    clip_count: int = 0
    bad_count: int = 0
    class_names: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    """Sorted labels; the index is the class id the trainer uses."""
    layout: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False, server_default="{}"))
    """How the last upload was read: layout, columns, samples (services/datasets/layouts/summary.py)."""
    version: int = 1
    is_demo: bool = False
    created_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)  # type: ignore[arg-type]
    updated_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)  # type: ignore[arg-type]


class Clip(SQLModel, table=True):
    """One video file of a dataset. `path` is relative to the storage root, never shown to people."""

    __tablename__ = "clips"
    __table_args__ = (Index("ix_clips_dataset_label", "dataset_id", "label"), {"sqlite_autoincrement": True})

    id: int | None = Field(default=None, primary_key=True)
    dataset_id: int = Field(foreign_key="datasets.id", ondelete="CASCADE", index=True)
    name: str = Field(max_length=255)
    path: str = Field(max_length=500)
    thumbnail_path: str = Field(default="", max_length=500)
    content_hash: str = Field(default="", max_length=64, index=True)
    label: str = Field(default="", max_length=200)
    caption: str = Field(default="", max_length=4000)
    prompt: str = Field(default="", max_length=2000, sa_column_kwargs={"server_default": ""})
    """The question that the caption answers; "" where the dataset asks none."""
    split: Split = Field(default=Split.AUTO, sa_type=word_enum(Split))  # type: ignore[arg-type]
    status: ClipStatus = Field(default=ClipStatus.OK, sa_type=word_enum(ClipStatus))  # type: ignore[arg-type]
    problem: str = Field(default="", max_length=500)
    """The sentence that says why it is not learnt from; "" where it is, or where a person left it out."""
    problem_kind: ClipProblem | None = Field(default=None, sa_type=word_enum(ClipProblem), nullable=True)  # type: ignore[arg-type]
    size_bytes: int = Field(default=0, sa_column=Column(BigInteger, nullable=False, default=0))
    frames: int = 0
    fps: float = 0.0
    width: int = 0
    height: int = 0
    duration_s: float = 0.0
    codec: str = Field(default="", max_length=32)
    perceptual_hash: str = Field(default="", max_length=64, sa_column_kwargs={"server_default": ""})
    """256 bits in hex of four frames; the same film coded anew differs in few of them."""
    since: int = Field(default=1, sa_column_kwargs={"server_default": "1"})
    """The version of the dataset that the clip came with."""


class DatasetEdit(SQLModel, table=True):
    """One edit of a dataset's clips: the version it made, and the values before and after."""

    __tablename__ = "dataset_edits"

    id: int | None = Field(default=None, primary_key=True)
    dataset_id: int = Field(foreign_key="datasets.id", ondelete="CASCADE", index=True)
    version: int
    what: str = Field(default="", max_length=200)
    changes: dict[str, dict[str, list[str]]] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    """{clip id: {field: [before, after]}}"""
    undone: bool = False
    created_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)  # type: ignore[arg-type]


class UploadStatus(StrEnum):
    """receiving: bytes are coming; complete: whole and waiting for ingest."""

    RECEIVING = "receiving"
    COMPLETE = "complete"


class Upload(SQLModel, table=True):
    """A tus upload: bytes arrive in `data_dir/uploads/{id}.part` and move into the dataset at ingest."""

    __tablename__ = "uploads"

    id: str = Field(primary_key=True, max_length=64)
    owner_id: int = Field(foreign_key="users.id", ondelete="CASCADE", index=True)
    dataset_id: int | None = Field(default=None, foreign_key="datasets.id", ondelete="CASCADE", index=True)
    model_id: int | None = Field(default=None, foreign_key="video_models.id", ondelete="CASCADE", index=True)
    """The base model whose files these are; else `dataset_id` is set."""
    filename: str = Field(max_length=500)
    """The relative path the browser gave, cleaned: no absolute part, no `..`."""
    length: int = Field(sa_column=Column(BigInteger, nullable=False))
    status: UploadStatus = Field(default=UploadStatus.RECEIVING, sa_type=word_enum(UploadStatus))  # type: ignore[arg-type]
    created_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)  # type: ignore[arg-type]
