"""The clips of a dataset as its checks need them: 100,000 of them as stored records would take a gigabyte."""

from dataclasses import dataclass
from typing import Any

from sqlmodel import Session, SQLModel, select

from orchestrator.domain.annotations import AnnotatedClip, Annotations
from orchestrator.domain.datasets import ClipProblem, ClipStatus, Split

_REPEATING = frozenset({"label", "caption", "prompt", "annotations", "problem", "codec"})
_SHORT = 32
"""Characters; longer texts are seldom those of several clips."""


@dataclass(frozen=True, slots=True)
class ExaminedClip(AnnotatedClip):
    """What the checks read of a clip; the attributes are those of `Clip`."""

    id: int
    dataset_id: int
    name: str
    path: str
    content_hash: str
    label: str
    caption: str
    prompt: str
    annotations: Annotations
    start_s: float | None
    end_s: float | None
    split: Split
    status: ClipStatus
    problem: str
    problem_kind: ClipProblem | None
    frames: int
    duration_s: float
    codec: str
    perceptual_hash: str


def examined_clips(session: Session, dataset_id: int) -> list[ExaminedClip]:
    """All clips of a dataset by id, without the ORM; equal texts and annotations are one object."""
    table = SQLModel.metadata.tables["clips"]
    columns = [table.c[name] for name in ExaminedClip.__slots__]
    rows = (
        session.connection()
        .execution_options(yield_per=2_000)
        .execute(select(*columns).where(table.c.dataset_id == dataset_id).order_by(table.c.id))
    )
    shared: dict[Any, Any] = {}
    repeating = [number for number, name in enumerate(ExaminedClip.__slots__) if name in _REPEATING]
    clips = []
    for row in rows:
        values = list(row)
        for number in repeating:
            values[number] = _shared(values[number], shared)
        clips.append(ExaminedClip(*values))
    return clips


def _shared(value: Any, shared: dict[Any, Any]) -> Any:
    """One object for equal values that many clips may have."""
    repeats = isinstance(value, Annotations) or len(value) < _SHORT
    return shared.setdefault(value, value) if repeats else value
