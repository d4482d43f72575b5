"""Turns a run's samples into rows: what was asked or said of some held-out clips, and which clips went wrong."""

from dataclasses import dataclass, field
from typing import assert_never

from orchestrator.domain.metric_definitions import Metric
from orchestrator.domain.run_summary import Prediction, RunSummary
from orchestrator.domain.tasks import TASKS, AnswerKind, task_spec
from orchestrator.states.shared import formatting
from orchestrator.states.shared.presentation import clip_address


@dataclass(frozen=True, slots=True)
class Shot:
    """One clip of an answer."""

    picture: str
    """Address of four frames side by side."""
    preview: str
    """Address of the clip as a browser plays it."""
    note: str
    right: bool


@dataclass(frozen=True, slots=True)
class Sample:
    """A held-out clip: what the model made of it, and how good that is."""

    title: str
    note: str
    before: str
    """What the untouched base made of it, as a sentence; "" where nobody asked it."""
    good: bool
    shots: list[Shot] = field(default_factory=list)
    trail: list[str] = field(default_factory=list)
    """What was made of it at the evaluations before this one, newest first."""
    pair: str = ""
    """Of a misclassified clip: its cell of the confusion matrix, as `pair_of` names it."""


def samples_of(summary: RunSummary) -> list[Sample]:
    """Sentences and the clips found for them, or clips and what was said of them: a sentence, or a class."""
    return [_sample_of(row, row.kind_in(summary.task), len(summary.class_names)) for row in summary.samples]


def _sample_of(row: Prediction, kind: AnswerKind, classes: int) -> Sample:
    match kind:
        case AnswerKind.CLASSES:
            return _classified(row, classes)
        case AnswerKind.TEXT:
            return _described(row)
        case AnswerKind.CLIPS:
            return _searched(row)
        case _:
            assert_never(kind)


def pair_of(label: str, said: str) -> str:
    """The name of a cell of the confusion matrix."""
    return f"{label}\u2192{said}"


def mistakes_of(summary: RunSummary) -> list[Sample]:
    """Clips that were called another class than theirs, the surest first."""
    return [
        Sample(
            title=f"{row.label}, called {row.predicted}",
            note=f"{formatting.percent(row.confidence or 0.0)} sure, {row.name}",
            before="",
            good=False,
            shots=[_shot(row.clip_id, row.name, False)],
            pair=pair_of(row.label, row.predicted or ""),
        )
        for row in summary.mistakes
    ]


def _shot(clip_id: int | None, note: str, right: bool) -> Shot:
    number = clip_id or 0
    return Shot(clip_address(number, "thumbnail"), clip_address(number, "preview"), note, right)


def _searched(row: Prediction) -> Sample:
    shots = [_shot(found.clip_id, f"{found.score:.2f}", found.right) for found in row.top]
    note = "Found first" if row.rank == 1 else f"Found at place {row.rank}"
    return Sample(row.reference, note, "", row.rank == 1, shots, _trail(row, "found at place "))


def _described(row: Prediction) -> Sample:
    right = row.predicted == row.reference
    return Sample(
        title=row.predicted or "",
        note="As it should be" if right else f"It should be: {row.reference}",
        before=f"The untouched base said: {row.before}" if row.before else "",
        good=right,
        shots=[_shot(row.clip_id, row.name, right)],
        trail=_trail(row),
    )


def _classified(row: Prediction, classes: int) -> Sample:
    right, sure = row.predicted == row.label, f"{formatting.percent(row.confidence or 0.0)} sure"
    return Sample(
        title=row.predicted or "",
        note=f"Right, {sure}" if right else f"It is {row.label}; {sure}",
        before=f"Before the training: a guess among {classes} classes" if classes else "",
        good=right,
        shots=[_shot(row.clip_id, row.name, right)],
        trail=_trail(row),
    )


def _trail(row: Prediction, place: str = "") -> list[str]:
    """Such as "Epoch 1: a red ring hops"; the last evaluation is what stands above it."""
    return [f"Epoch {epoch:.1f}".removesuffix(".0") + f": {place}{answer}" for epoch, answer in row.trail[-2::-1]]


@dataclass(frozen=True, slots=True)
class ConfusionCell:
    """How many clips of one class were called another."""

    clips: int
    right: bool
    pair: str
    """Names the cell (`job_samples.pair_of`)."""


@dataclass(frozen=True, slots=True)
class ConfusionRow:
    """One true class: how many of its held-out clips were called what."""

    label: str
    cells: list[ConfusionCell]
    right: str
    """Share of the class's clips that were called right."""


@dataclass(frozen=True, slots=True)
class Reached:
    """One metric of a finished run, beside what the untouched base (or guessing) reaches."""

    label: str
    now: str
    before: str


@dataclass(frozen=True, slots=True)
class Result:
    """What a finished run reached."""

    known: bool = False
    accuracy: str = ""
    loss: str = ""
    clips: str = ""
    """Such as "R@1 on 48 held-out clips"."""
    reached: list[Reached] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    confusion: list[ConfusionRow] = field(default_factory=list)


def result_of(summary: RunSummary) -> Result:
    """What a run reached, from its summary: accuracy and confusion matrix on the held-out clips."""
    matrix = summary.confusion_matrix
    labels = [str(name) for name in summary.class_names or range(len(matrix))]
    metric = TASKS[task_of(summary)].headline
    reached = summary.value(metric.name)
    if reached is None and not matrix:
        return Result()
    total = sum(sum(row) for row in matrix) or summary.validation_clips
    pairs = zip(labels, matrix, strict=False)
    return Result(
        known=True,
        accuracy=_figure(metric, reached),
        loss=formatting.loss(summary.eval_loss),
        clips=f"{_what(metric)} {formatting.plural(total, 'held-out clip')}" if total else "",
        reached=_reached(summary),
        labels=labels,
        confusion=[_confusion_row(labels, label, row, i) for i, (label, row) in enumerate(pairs)],
    )


def _what(metric: Metric) -> str:
    return "right on" if metric.of_clips else f"{metric.label} on"


def _reached(summary: RunSummary) -> list[Reached]:
    found = [(metric, summary.value(metric.name)) for metric in TASKS[task_of(summary)].metrics]
    return [
        Reached(metric.label, _figure(metric, value), _figure(metric, summary.baseline.get(metric.name)))
        for metric, value in found
        if value is not None
    ]


def task_of(summary: RunSummary) -> str:
    """What a run is about: noted at its launch; runs from before that are classification."""
    return task_spec(summary.task).key


def _figure(metric: Metric, value: float | None) -> str:
    if value is None:
        return ""
    return formatting.percent(value, 1) if metric.share else f"{value:g}"


def _confusion_row(labels: list[str], label: str, row: list[int], index: int) -> ConfusionRow:
    total = sum(row)  # none where nothing of the class was held out
    said = (*labels, *map(str, range(len(labels), len(row))))
    cells = [ConfusionCell(int(n), i == index, pair_of(label, said[i])) for i, n in enumerate(row)]
    return ConfusionRow(label, cells, formatting.percent(row[index] / total) if total and index < len(row) else "–")
