"""What the clips of a dataset are like together, as the bars and figures of its page."""

from orchestrator.services.datasets.statistics import Footage, LengthBin
from orchestrator.services.datasets.rows import DatasetRow
from orchestrator.states.shared import formatting
from orchestrator.states.datasets.rows import ClassBar, Fact, LengthBar


def size_bars(film: Footage) -> list[ClassBar]:
    if len(film.frame_sizes) < 2:
        return []
    top = film.frame_sizes[0][2]
    return [ClassBar(f"{w:,} × {h:,}", formatting.count(number), 100 * number / top) for w, h, number in film.frame_sizes]


def columns(bins: list[LengthBin], form: str) -> list[LengthBar]:
    """A histogram's columns with their words on hover."""
    highest = max((b.clips for b in bins), default=1)
    return [
        LengthBar(100 * b.clips / highest, f"{formatting.plural(b.clips, 'clip')} of {form.format(b.start_s, b.end_s)}")
        for b in bins
    ]


def seconds(value: float) -> str:
    """A clip's length: 8.34 -> "8.3 s"; from a minute on as footage is told."""
    return f"{value:.1f}{formatting.NBSP}s" if value < 60 else formatting.duration(value)


def _said(row: DatasetRow, film: Footage) -> Fact:
    """What the clips say: how many classes, or how long a caption is."""
    if film.captions is None:
        return Fact("Classes", formatting.count(len(row.class_names)))
    return Fact("Median caption", formatting.plural(round(film.captions.median), "word"))


def facts(row: DatasetRow, film: Footage) -> list[Fact]:
    if row.status == "draft" or not row.clip_count:
        return []
    return [
        Fact("Clips", formatting.count(row.clip_count)),
        _said(row, film),
        Fact("Footage", seconds(film.total_s)),
        Fact("Median clip", seconds(film.median_s)),
        *([Fact("Frame size", "{} × {}".format(*film.frame_sizes[0]))] if len(film.frame_sizes) == 1 else []),
        Fact("Size", formatting.size(row.size_bytes)),
        Fact("Version", f"v{row.version}"),
    ]
