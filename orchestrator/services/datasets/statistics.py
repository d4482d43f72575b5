"""Statistics of a dataset's clips: classes, splits, durations, frame sizes, caption lengths."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from statistics import median

from pydantic import TypeAdapter
from sqlalchemy import ColumnElement, func
from sqlmodel import Session, col, select

from orchestrator.domain.datasets import Clip, ClipStatus
from orchestrator.domain.tasks import TASKS, Annotation
from orchestrator.domain.users import Actor
from orchestrator.services.datasets.catalog import get_dataset
from orchestrator.services.datasets.counts import label_counts
from orchestrator.services.datasets.rows import DatasetRow
from orchestrator.services.datasets.stored_results import state_of, stored_or_computed

BINS = 12
FRAME_SIZES = 12
"""How many of the most common frame sizes are listed."""


@dataclass(frozen=True, slots=True)
class LengthBin:
    """How many clips last from `start_s` to below `end_s`; the last bin includes its end."""

    start_s: float
    end_s: float
    clips: int


@dataclass(frozen=True, slots=True)
class CaptionWords:
    """How many words the captions have; `bins`: a histogram in words."""

    median: float
    shortest: int
    longest: int
    bins: list[LengthBin]


@dataclass(frozen=True, slots=True)
class ClipStatistics:
    """Statistics of the usable clips.

    Attributes:
        classes: (label, clips), the largest class first.
        captions: None where the task does not use captions.
    """

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
    """(width, height, clips) of the most common frame sizes, the most common first."""


_KIND = TypeAdapter(ClipStatistics)


def clip_statistics(session: Session, actor: Actor, dataset_id: int) -> ClipStatistics:
    """The statistics of one dataset; those of a large one are kept as a file until it changes.

    Raises:
        NotFound: it does not exist, or belongs to another user.
    """
    row = get_dataset(session, actor, dataset_id)
    return statistics_of(session, row)


def statistics_of(session: Session, row: DatasetRow) -> ClipStatistics:
    """The statistics of a dataset without a look at who asks."""
    return stored_or_computed(row, "statistics", state_of(row), _KIND, lambda: _statistics(session, row))


def _statistics(session: Session, row: DatasetRow) -> ClipStatistics:
    dataset_id, task = row.id, row.task
    usable = (col(Clip.dataset_id) == dataset_id, col(Clip.status) == ClipStatus.OK)
    seconds = sorted(session.exec(select(Clip.duration_s).where(*usable)).all())
    classes = _class_counts(session, usable)
    if not seconds:
        return ClipStatistics(0.0, 0.0, 0.0, 0.0, classes, [])
    by_split = session.exec(select(Clip.split, func.count()).where(*usable).group_by(col(Clip.split)))
    splits = {str(split): int(number) for split, number in by_split}
    captioned = TASKS[task].annotation is Annotation.CAPTION
    captions = caption_words(_texts(session, usable)) if captioned else None
    lengths, sizes = length_bins(seconds), _frame_sizes(session, usable)
    return ClipStatistics(
        sum(seconds), median(seconds), seconds[0], seconds[-1], classes, lengths, splits, captions, sizes
    )


def _class_counts(session: Session, usable: tuple[ColumnElement[bool], ...]) -> list[tuple[str, int]]:
    """(label, clips), the largest class first; a clip with several labels counts for each."""
    return sorted(label_counts(session, usable).items(), key=lambda row: (-row[1], row[0]))


def _texts(session: Session, usable: tuple[ColumnElement[bool], ...]) -> Iterator[str]:
    """Each caption and each answer."""
    for caption, annotations in session.exec(select(Clip.caption, col(Clip.annotations)).where(*usable)):
        yield from annotations.texts or (caption,)


def _frame_sizes(session: Session, usable: tuple[ColumnElement[bool], ...]) -> list[tuple[int, int, int]]:
    number = func.count()
    by_size = (
        select(Clip.width, Clip.height, number)
        .where(*usable, Clip.width > 0)
        .group_by(col(Clip.width), col(Clip.height))
    )
    order = by_size.order_by(number.desc(), col(Clip.width).desc()).limit(FRAME_SIZES)
    return [(width, height, int(clips)) for width, height, clips in session.exec(order)]


def caption_words(captions: Iterable[str]) -> CaptionWords | None:
    """Word counts of the captions; None where there are no captions."""
    counts = sorted(len(caption.split()) for caption in captions)
    if not counts:
        return None
    return CaptionWords(median(counts), counts[0], counts[-1], length_bins([float(count) for count in counts]))


def length_bins(seconds: list[float], bins: int = BINS) -> list[LengthBin]:
    """A histogram of sorted durations, from zero to the longest; durations that are all equal make one bin."""
    low, high = 0.0, seconds[-1]
    if high - seconds[0] < 0.05:
        return [LengthBin(seconds[0], high, len(seconds))]
    width = (high - low) / bins
    counts = [0] * bins
    for value in seconds:
        counts[min(bins - 1, int((value - low) / width))] += 1
    return [LengthBin(low + i * width, low + (i + 1) * width, number) for i, number in enumerate(counts)]
