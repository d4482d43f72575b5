"""The rows of the dataset pages, made of what the services return."""

from dataclasses import dataclass
from typing import assert_never

from orchestrator.domain import formatting
from orchestrator.domain.tasks import TASKS, Annotation
from orchestrator.services.datasets.overview import DatasetExtras
from orchestrator.services.datasets.rows import ClipRow, DatasetRow
from orchestrator.services.datasets.statistics import ClipStatistics, LengthBin
from orchestrator.states.shared.presentation import Fact, clip_address, clock, in_words, series_of


@dataclass(frozen=True, slots=True)
class JobDot:
    """A job as a swatch with its name as tooltip."""

    id: int
    name: str
    series: int


@dataclass(frozen=True, slots=True)
class DatasetCard:
    """One dataset as a card, a table row or the head of its page."""

    id: int
    name: str
    description: str
    status: str
    """The chip's: draft, uploading, processing, review, ready, warning, error."""
    chip_word: str
    """Replaces the chip's own word, or ""."""
    task: str
    clips: str
    clip_word: str
    classes: str
    size: str
    added_at: str
    frames: list[str]
    """Addresses of up to four thumbnails."""
    jobs: list[JobDot]
    jobs_text: str
    error: str
    progress: float
    """0..100 while processing."""
    progress_text: str
    progress_note: str
    source: str
    """The address it is fetched from; "" for uploads."""
    is_demo: bool
    busy: bool
    """It is being received or processed: the page refreshes soon."""


@dataclass(frozen=True, slots=True)
class ClipTile:
    """One clip of the grid."""

    id: int
    name: str
    label: str
    caption: str
    prompt: str
    split: str
    duration: str
    facts: str
    bad: bool
    problem: str
    thumbnail: str
    preview: str
    quarantined: bool = False
    short_name: str = ""
    has_several_labels: bool = False
    """They are edited in the dialog: as one text they would become one label."""


@dataclass(frozen=True, slots=True)
class ClassBar:
    """One class in the balance panel; `share` is 0..100 of the largest class."""

    name: str
    count: str
    share: float
    short: bool = False


@dataclass(frozen=True, slots=True)
class LengthBar:
    """One column of the clip length histogram."""

    share: float
    title: str


def dataset_card(row: DatasetRow, extras: DatasetExtras) -> DatasetCard:
    """A dataset's row as a card."""
    status = "uploading" if row.status == "draft" and extras.receiving else row.status
    status = "review" if row.stage == "review" else status
    left_out = row.bad_count if row.status == "ready" else 0
    unannotated = bool(left_out) and not row.clip_count
    return DatasetCard(
        id=row.id,
        name=row.name,
        description=_sentence(row.description),
        status="warning" if left_out else status,
        chip_word=_chip_word(row, left_out),
        task=TASKS[row.task].title,
        clips=formatting.count(row.clip_count),
        clip_word=_clip_word(row),
        classes="" if unannotated else _classes(row),
        size="" if unannotated else formatting.size(row.size_bytes),
        added_at=formatting.iso(row.created_at),
        frames=[clip_address(clip_id, "thumbnail") for clip_id in extras.clip_ids],
        jobs=[JobDot(job.id, f"{job.name} #{job.id}", series_of(job.id)) for job in extras.jobs],
        jobs_text=_jobs_text(extras),
        error=row.error,
        progress=100 * row.progress_done / row.progress_total if row.progress_total else 0.0,
        progress_text=_progress_text(row),
        progress_note=_progress_note(row, extras),
        source=str(row.source.get("url") or row.source.get("uri") or row.source.get("repo") or ""),
        is_demo=row.is_demo,
        busy=status in ("processing", "uploading"),
    )


def _sentence(text: str) -> str:
    """A description with a full stop, since another sentence follows it."""
    return text if not text or text[-1] in ".!?…:;" else f"{text}."


def _clip_word(row: DatasetRow) -> str:
    if row.status == "ready" and row.bad_count and not row.clip_count:
        return f"of {formatting.plural(row.bad_count, 'clip')} in use"
    return "clip" if row.clip_count == 1 else "clips"


def _chip_word(row: DatasetRow, left_out: int) -> str:
    if left_out and not row.clip_count:
        return TASKS[row.task].annotation.spec.to_write
    return f"Ready, {left_out:,} left out" if left_out else ""


def _classes(row: DatasetRow) -> str:
    annotation = TASKS[row.task].annotation
    match annotation:
        case Annotation.LABEL:
            return formatting.plural(len(row.class_names), "class", "classes") + (", demo" if row.is_demo else "")
        case Annotation.CAPTION:
            return "captioned"
        case _:
            assert_never(annotation)


def _progress_text(row: DatasetRow) -> str:
    """How much of it is done, in clips; in bytes while it is fetched."""
    if row.stage == "fetching":
        parts = [formatting.size(1000 * count) for count in (row.progress_done, row.progress_total) if count]
        return " of ".join(parts)
    return f"{row.progress_done:,} / {row.progress_total:,}" if row.progress_total else ""


def _progress_note(row: DatasetRow, extras: DatasetExtras) -> str:
    if row.status == "processing" and row.stage == "fetching":
        return "Fetching" if row.progress_done else "Waiting for a worker"
    if row.stage == "understanding":
        return "Detecting the layout"
    if row.status == "processing":
        return "Checking clips" if row.progress_total else "Waiting for a worker"
    if row.status == "draft":
        return (
            f"Receiving {formatting.plural(extras.receiving, 'file')}" if extras.receiving else "Waiting for its files"
        )
    return ""


def _jobs_text(extras: DatasetExtras) -> str:
    if not extras.job_count:
        return "Not used in a training job yet"
    text = formatting.plural(extras.job_count, "job")
    if extras.active_count:
        return f"{text}, running" if extras.job_count == 1 else f"{text}, {in_words(extras.active_count)} running"
    return f"{text}, {extras.jobs[0].status}" if extras.job_count == 1 else text


def clip_tile(row: ClipRow) -> ClipTile:
    """A clip's row as a tile."""
    bad = row.status == "bad"
    facts = f"{row.width} × {row.height}, {row.frames:,} frames, {row.fps:.3g} fps, {row.codec}"
    return ClipTile(
        id=row.id,
        name=row.name,
        label=row.label,
        caption=row.caption,
        prompt=row.prompt,
        split={"train": "train", "validation": "val"}.get(row.split, ""),
        duration=clock(row.duration_s) if row.duration_s else "",
        facts=row.name if bad else f"{row.name}: {facts}",
        bad=bad,
        problem=row.problem,
        thumbnail=clip_address(row.id, "thumbnail") if row.has_thumbnail else "",
        preview=clip_address(row.id, "preview") + _part_to_play(row) if not bad else "",
        quarantined=row.status == "quarantined",
        short_name=row.name.rpartition("/")[2],
        has_several_labels=len(row.labels) > 1,
    )


def _part_to_play(row: ClipRow) -> str:
    """The media fragment with which a browser plays the span only; "" for a whole film."""
    return "" if row.start_s is None or row.end_s is None else f"#t={row.start_s:g},{row.end_s:g}"


def size_bars(statistics: ClipStatistics) -> list[ClassBar]:
    """Clips per frame size; empty where all clips have the same."""
    if len(statistics.frame_sizes) < 2:
        return []
    most = statistics.frame_sizes[0][2]
    return [
        ClassBar(f"{width:,} × {height:,}", formatting.count(clips), 100 * clips / most)
        for width, height, clips in statistics.frame_sizes
    ]


def columns(bins: list[LengthBin], form: str) -> list[LengthBar]:
    """A histogram's columns with their tooltips."""
    highest = max((b.clips for b in bins), default=1)
    return [
        LengthBar(100 * b.clips / highest, f"{formatting.plural(b.clips, 'clip')} of {form.format(b.start_s, b.end_s)}")
        for b in bins
    ]


def seconds(value: float) -> str:
    """A clip's length: 8.34 -> "8.3 s"; from a minute on as a duration."""
    return f"{value:.1f}{formatting.NBSP}s" if value < 60 else formatting.duration(value)


def _annotation_fact(row: DatasetRow, statistics: ClipStatistics) -> Fact:
    if statistics.captions is None:
        return Fact("Classes", formatting.count(len(row.class_names)))
    return Fact("Median caption", formatting.plural(round(statistics.captions.median), "word"))


def facts(row: DatasetRow, statistics: ClipStatistics) -> list[Fact]:
    """The row of figures below the dataset's name; empty while it has no clips."""
    if row.status == "draft" or not row.clip_count:
        return []
    sizes = statistics.frame_sizes
    return [
        Fact("Clips", formatting.count(row.clip_count)),
        _annotation_fact(row, statistics),
        Fact("Total length", seconds(statistics.total_s)),
        Fact("Median clip", seconds(statistics.median_s)),
        *([Fact("Frame size", "{} × {}".format(*sizes[0]))] if len(sizes) == 1 else []),
        Fact("Size", formatting.size(row.size_bytes)),
        Fact("Version", f"v{row.version}"),
    ]
