"""What the clips of a dataset are like together: classes, splits, how long they run, how much their captions say."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from statistics import median

from sqlalchemy import ColumnElement, func
from sqlmodel import Session, col, select

from orchestrator.domain.datasets import Clip, ClipStatus
from orchestrator.domain.tasks import TASKS, Annotation
from orchestrator.domain.users import Actor
from orchestrator.services.datasets.catalog import get_dataset

BINS = 12
FRAME_SIZES = 12
"""The commonest sizes of frames that are told."""


@dataclass(frozen=True, slots=True)
class LengthBin:
    """`clips` good clips run from `start_s` to below `end_s` (the last bin holds its end)."""

    start_s: float
    end_s: float
    clips: int


@dataclass(frozen=True, slots=True)
class CaptionWords:
    """How many words the captions have; `bins` as for lengths, in words."""

    median: float
    shortest: int
    longest: int
    bins: list[LengthBin]


@dataclass(frozen=True, slots=True)
class Footage:
    """Counts good clips only; `classes` by falling count, then by name; `captions` where the task learns from them."""

    total_s: float
    median_s: float
    shortest_s: float
    longest_s: float
    classes: list[tuple[str, int]]
    lengths: list[LengthBin]
    splits: dict[str, int] = field(default_factory=dict)
    """Clips by split: auto, train, validation."""
    captions: CaptionWords | None = None
    frame_sizes: list[tuple[int, int, int]] = field(default_factory=list)
    """(width, height, clips) by falling count, the commonest only."""


def footage(session: Session, actor: Actor, dataset_id: int) -> Footage:
    """Reads the figures of one dataset.

    Raises:
        NotFound: there is none, or it is somebody else's.
    """
    task = get_dataset(session, actor, dataset_id).task
    good = (col(Clip.dataset_id) == dataset_id, col(Clip.status) == ClipStatus.OK)
    seconds = sorted(session.exec(select(Clip.duration_s).where(*good)).all())
    counted = select(Clip.label, func.count()).where(*good).group_by(col(Clip.label))
    classes = [(label, int(number)) for label, number in session.exec(counted)]
    classes.sort(key=lambda row: (-row[1], row[0]))
    if not seconds:
        return Footage(0.0, 0.0, 0.0, 0.0, classes, [])
    by_split = session.exec(select(Clip.split, func.count()).where(*good).group_by(col(Clip.split)))
    splits = {str(split): int(number) for split, number in by_split}
    captioned = TASKS[task].annotation is Annotation.CAPTION
    captions = caption_words(session.exec(select(Clip.caption).where(*good))) if captioned else None
    lengths, sizes = length_bins(seconds), _frame_sizes(session, good)
    return Footage(sum(seconds), median(seconds), seconds[0], seconds[-1], classes, lengths, splits, captions, sizes)


def _frame_sizes(session: Session, good: tuple[ColumnElement[bool], ...]) -> list[tuple[int, int, int]]:
    number = func.count()
    by_size = (
        select(Clip.width, Clip.height, number).where(*good, Clip.width > 0).group_by(col(Clip.width), col(Clip.height))
    )
    order = by_size.order_by(number.desc(), col(Clip.width).desc()).limit(FRAME_SIZES)
    return [(width, height, int(clips)) for width, height, clips in session.exec(order)]


def caption_words(captions: Iterable[str]) -> CaptionWords | None:
    """Counts the words of captions; None when there is none."""
    counts = sorted(len(caption.split()) for caption in captions)
    if not counts:
        return None
    return CaptionWords(median(counts), counts[0], counts[-1], length_bins([float(count) for count in counts]))


def length_bins(seconds: list[float], bins: int = BINS) -> list[LengthBin]:
    """A histogram over sorted lengths, from zero to the longest; clips of one length make one bin."""
    low, high = 0.0, seconds[-1]
    if high - seconds[0] < 0.05:
        return [LengthBin(seconds[0], high, len(seconds))]
    width = (high - low) / bins
    counts = [0] * bins
    for value in seconds:
        counts[min(bins - 1, int((value - low) / width))] += 1
    return [LengthBin(low + i * width, low + (i + 1) * width, number) for i, number in enumerate(counts)]
