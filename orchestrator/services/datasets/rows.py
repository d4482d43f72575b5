"""The rows of datasets and clips that pages and the REST API share."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from orchestrator.domain.annotations import Conversation
from orchestrator.domain.dataset_documents import LayoutSummary, StoredSource
from orchestrator.domain.datasets import STAGES, Clip, ClipProblem, ClipStatus, Dataset, DatasetStatus, Split
from orchestrator.domain.json_schemas import Described, OneOf
from orchestrator.domain.tasks import Task

REUPLOAD_NOTE = "again"
"""Key of a layout: what became of uploaded clips that the dataset had already (ingest/reuploads.py)."""


@dataclass(frozen=True, slots=True)
class DatasetRow:
    """One dataset."""

    id: int
    name: str
    description: str
    task: Annotated[str, OneOf(Task)]
    source: Annotated[dict[str, Any], Described(StoredSource)]
    status: Annotated[str, OneOf(DatasetStatus)]
    stage: Annotated[str, OneOf(STAGES, "")]
    error: str
    progress_done: int
    progress_total: int
    size_bytes: int
    clip_count: int
    bad_count: int
    class_names: list[str]
    layout: Annotated[dict[str, Any], Described(LayoutSummary)]
    version: int
    is_demo: bool
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class ClipRow:
    """One clip of a dataset, without the path of its file."""

    id: int
    dataset_id: int
    name: str
    label: str
    caption: str
    prompt: str
    labels: list[str]
    captions: list[str]
    conversations: list[Conversation]
    start_s: float | None
    """Where the clip begins in its film, in seconds; None for the whole film."""
    end_s: float | None
    film_s: float
    """How long the film is; 0 where it is not known."""
    split: Annotated[str, OneOf(Split)]
    status: Annotated[str, OneOf(ClipStatus)]
    problem: str
    problem_kind: ClipProblem | None
    """Why the clip is not used, as a `ClipProblem`."""
    size_bytes: int
    frames: int
    fps: float
    width: int
    height: int
    duration_s: float
    codec: str
    has_thumbnail: bool


def dataset_row(dataset: Dataset) -> DatasetRow:
    """The row of a stored dataset."""
    assert dataset.id is not None
    return DatasetRow(
        id=dataset.id,
        name=dataset.name,
        description=dataset.description,
        task=str(dataset.task),
        source=dict(dataset.source),
        status=str(dataset.status),
        stage=dataset.stage,
        error=dataset.error,
        progress_done=dataset.progress_done,
        progress_total=dataset.progress_total,
        size_bytes=dataset.size_bytes,
        clip_count=dataset.clip_count,
        bad_count=dataset.bad_count,
        class_names=list(dataset.class_names),
        layout=dict(dataset.layout or {}),
        version=dataset.version,
        is_demo=dataset.is_demo,
        created_at=dataset.created_at,
        updated_at=dataset.updated_at,
    )


def clip_row(clip: Clip) -> ClipRow:
    """The row of a stored clip."""
    assert clip.id is not None
    annotations = clip.annotated
    return ClipRow(
        id=clip.id,
        dataset_id=clip.dataset_id,
        name=clip.name,
        label=clip.label,
        caption=clip.caption,
        prompt=clip.prompt,
        labels=list(annotations.labels),
        captions=list(annotations.captions),
        conversations=list(annotations.conversations),
        start_s=clip.start_s,
        end_s=clip.end_s,
        film_s=clip.film_s,
        split=str(clip.split),
        status=str(clip.status),
        problem=clip.problem,
        problem_kind=clip.problem_kind,
        size_bytes=clip.size_bytes,
        frames=clip.frames,
        fps=clip.fps,
        width=clip.width,
        height=clip.height,
        duration_s=clip.duration_s,
        codec=clip.codec,
        has_thumbnail=bool(clip.thumbnail_path),
    )
