"""Tables of datasets: their clips with labels, captions and splits, the history of edits, and uploads."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, BigInteger, Column, Index
from sqlmodel import Field, SQLModel

from orchestrator.domain.annotations import Annotations, Span, annotations_of, short_form
from orchestrator.domain.annotations_column import AnnotationsColumn
from orchestrator.domain.base import UtcDateTime, text_enum, utcnow
from orchestrator.domain.tasks import DEFAULT_TASK, Task


class DatasetStatus(StrEnum):
    """draft: waits for files; processing: files are downloaded, unpacked and probed."""

    DRAFT = "draft"
    PROCESSING = "processing"
    READY = "ready"
    ERROR = "error"


class Split(StrEnum):
    """Which part of the data a clip belongs to; auto: the trainer draws the split, seeded and stratified."""

    AUTO = "auto"
    TRAIN = "train"
    VALIDATION = "validation"


class ClipStatus(StrEnum):
    """bad: cannot be used, and stays in the list with the reason; quarantined: could be used, but was left out."""

    OK = "ok"
    BAD = "bad"
    QUARANTINED = "quarantined"


class ClipProblem(StrEnum):
    """Why a clip is not trained on; `Clip.problem` has the sentence."""

    DUPLICATE = "duplicate"
    """The same bytes as another clip of the dataset."""
    DAMAGED = "damaged"
    """It cannot be decoded, or needs too much for it."""
    NOT_A_VIDEO = "not_a_video"
    NOT_UPLOADED = "not_uploaded"
    """A table names it, but no such file came."""
    NOT_ANNOTATED = "not_annotated"
    """It has no label or caption; it is used as soon as one is written."""
    OTHER_ANNOTATION = "other_annotation"
    """It has annotations, but of no kind that the task takes; they can be converted."""
    NO_SUCH_SPAN = "no_such_span"
    """Its span is not within its film."""


FETCHING = "fetching"
"""`Dataset.stage` while its files are downloaded; progress then counts kilobytes."""
REINTERPRETING = "rereading"
"""`Dataset.stage` while its files are read again with another layout."""
DETECTING_LAYOUT = "understanding"
"""`Dataset.stage` while a worker detects the layout of new files, before any clip is probed."""
REVIEW = "review"
"""`Dataset.stage` while the detected layout waits for the user to accept or correct it."""
STAGES = (FETCHING, REINTERPRETING, DETECTING_LAYOUT, REVIEW)


class Dataset(SQLModel, table=True):
    """A dataset. `error`: why it cannot be used; of a ready one, why the last files were not added."""

    __tablename__ = "datasets"
    __table_args__ = (
        Index("ix_datasets_owner_created", "owner_id", "created_at"),
        # An id names a folder, so that the id of a deleted dataset must not be reused.
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True)
    owner_id: int = Field(foreign_key="users.id", ondelete="CASCADE", index=True)
    name: str = Field(max_length=80)
    description: str = Field(default="", max_length=2000)
    task: Task = Field(default=DEFAULT_TASK, sa_type=text_enum(Task))  # type: ignore[arg-type]
    source: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    """{"type": "upload" | "demo" | "url" | "cloud" | "hub", ...}; "review": whether the user reviews the layout."""
    status: DatasetStatus = Field(default=DatasetStatus.DRAFT, sa_type=text_enum(DatasetStatus))  # type: ignore[arg-type]
    stage: str = Field(default="", max_length=16, sa_column_kwargs={"server_default": ""})
    error: str = Field(default="", max_length=1000)
    progress_done: int = 0
    progress_total: int = 0
    size_bytes: int = Field(default=0, sa_column=Column(BigInteger, nullable=False, default=0))
    clip_count: int = 0
    bad_count: int = 0
    class_names: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    """Sorted labels; the index of a label is its class id in the trainer."""
    layout: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False, server_default="{}"))
    """How the last upload was read: layout, columns, samples (services/datasets/ingest/layouts/summary.py)."""
    version: int = 1
    is_demo: bool = False
    created_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)  # type: ignore[arg-type]
    updated_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)  # type: ignore[arg-type]


class Clip(SQLModel, table=True):
    """One video file of a dataset. `path` is relative to the storage root and never leaves the server."""

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
    """The question that the caption answers; "" where the dataset has no questions."""
    annotations: Annotations = Field(
        default_factory=Annotations, sa_column=Column(AnnotationsColumn, nullable=False, server_default="")
    )
    """Everything that is written about the clip, where `label`, `caption` and `prompt` cannot hold it; else empty.
    Read by `annotated`, written by `annotate`."""
    start_s: float | None = None
    """Where the clip begins in its film, in seconds; None for the whole film."""
    end_s: float | None = None
    film_s: float = Field(default=0.0, sa_column_kwargs={"server_default": "0"})
    """How long the film is of which the clip is a span, or all; 0 where it is not known."""
    split: Split = Field(default=Split.AUTO, sa_type=text_enum(Split))  # type: ignore[arg-type]
    status: ClipStatus = Field(default=ClipStatus.OK, sa_type=text_enum(ClipStatus))  # type: ignore[arg-type]
    problem: str = Field(default="", max_length=500)
    """Why the clip is not used, as a sentence; "" where it is used, or where the user left it out."""
    problem_kind: ClipProblem | None = Field(default=None, sa_type=text_enum(ClipProblem), nullable=True)  # type: ignore[arg-type]
    size_bytes: int = Field(default=0, sa_column=Column(BigInteger, nullable=False, default=0))
    frames: int = 0
    fps: float = 0.0
    width: int = 0
    height: int = 0
    duration_s: float = 0.0
    codec: str = Field(default="", max_length=32)
    perceptual_hash: str = Field(default="", max_length=64, sa_column_kwargs={"server_default": ""})
    """256 bits of four frames, in hex; a re-encoded copy of the video differs in few of them."""
    since: int = Field(default=1, sa_column_kwargs={"server_default": "1"})
    """The version of the dataset in which the clip was added."""

    @property
    def annotated(self) -> Annotations:
        """Everything that is written about the clip."""
        return annotations_of(self.label, self.caption, self.prompt, self.annotations)

    def annotate(self, annotations: Annotations) -> None:
        """Writes all annotation columns."""
        self.label, self.caption, self.prompt, self.annotations = short_form(annotations)

    @property
    def span(self) -> Span | None:
        """The part of the film that the clip is; None for all of it."""
        return None if self.start_s is None or self.end_s is None else Span(self.start_s, self.end_s)

    def cut(self, span: Span | None) -> None:
        """Makes the clip this part of its film, or all of it; the file stays as it is.

        The hash is that of other frames, so that the clip is no longer compared with others.
        """
        per_second = self.frames / self.duration_s if self.duration_s else self.fps
        self.start_s, self.end_s = (span.start_s, span.end_s) if span else (None, None)
        self.duration_s = span.end_s - span.start_s if span else self.film_s
        self.frames = max(1, round(self.duration_s * per_second))
        self.perceptual_hash = ""


class DatasetEdit(SQLModel, table=True):
    """One edit of a dataset's clips: the version that it made, and the values before and after."""

    __tablename__ = "dataset_edits"

    id: int | None = Field(default=None, primary_key=True)
    dataset_id: int = Field(foreign_key="datasets.id", ondelete="CASCADE", index=True)
    version: int
    what: str = Field(default="", max_length=200)
    changes: dict[str, dict[str, list[str]]] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    """{clip id: {column: [before, after]}} (services/datasets/curation/history.py)"""
    undone: bool = False
    created_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)  # type: ignore[arg-type]


class UploadStatus(StrEnum):
    """receiving: bytes are being received; complete: all bytes have arrived, and it waits for the import."""

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
    status: UploadStatus = Field(default=UploadStatus.RECEIVING, sa_type=text_enum(UploadStatus))  # type: ignore[arg-type]
    created_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)  # type: ignore[arg-type]
