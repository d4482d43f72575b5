"""Turns a run's samples into rows: what was asked or said of some held-out clips, and which clips went wrong."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, assert_never

from orchestrator.domain.metric_definitions import Metric
from orchestrator.domain.run_samples import sample_kind
from orchestrator.domain.tasks import TASKS, AnswerKind, task_spec
from orchestrator.states.jobs.rows import number
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


def samples_of(summary: Mapping[str, Any]) -> list[Sample]:
    """Sentences and the clips found for them, or clips and what was said of them: a sentence, or a class."""
    rows = [row for row in summary.get("samples") or [] if isinstance(row, Mapping)]
    classes = len(summary.get("class_names") or ())
    return [_sample_of(row, sample_kind(row, summary.get("task")), classes) for row in rows]


def _sample_of(row: Mapping[str, Any], kind: AnswerKind, classes: int) -> Sample:
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


def mistakes_of(summary: Mapping[str, Any]) -> list[Sample]:
    """Clips that were called another class than theirs, the surest first."""
    return [
        Sample(
            title=f"{row.get('label', '')}, called {row.get('predicted', '')}",
            note=f"{formatting.percent(float(row.get('confidence') or 0.0))} sure, {row.get('name', '')}",
            before="",
            good=False,
            shots=[_shot(row.get("clip_id"), str(row.get("name", "")), False)],
            pair=pair_of(str(row.get("label", "")), str(row.get("predicted", ""))),
        )
        for row in summary.get("mistakes") or []
    ]


def _shot(clip_id: Any, note: str, right: bool) -> Shot:
    number = int(clip_id or 0)
    return Shot(clip_address(number, "thumbnail"), clip_address(number, "preview"), note, right)


def _searched(row: Mapping[str, Any]) -> Sample:
    rank = int(row.get("rank") or 0)
    shots = [
        _shot(found.get("clip_id"), f"{float(found.get('score') or 0.0):.2f}", bool(found.get("right")))
        for found in row.get("top") or []
    ]
    note = "Found first" if rank == 1 else f"Found at place {rank}"
    return Sample(str(row.get("reference", "")), note, "", rank == 1, shots, _trail(row, "found at place "))


def _described(row: Mapping[str, Any]) -> Sample:
    said, meant = str(row.get("predicted", "")), str(row.get("reference", ""))
    return Sample(
        title=said,
        note="As it should be" if said == meant else f"It should be: {meant}",
        before=f"The untouched base said: {row['before']}" if row.get("before") else "",
        good=said == meant,
        shots=[_shot(row.get("clip_id"), str(row.get("name", "")), said == meant)],
        trail=_trail(row),
    )


def _classified(row: Mapping[str, Any], classes: int) -> Sample:
    said, meant = str(row.get("predicted", "")), str(row.get("label", ""))
    sure = f"{formatting.percent(float(row.get('confidence') or 0.0))} sure"
    return Sample(
        title=said,
        note=f"Right, {sure}" if said == meant else f"It is {meant}; {sure}",
        before=f"Before the training: a guess among {classes} classes" if classes else "",
        good=said == meant,
        shots=[_shot(row.get("clip_id"), str(row.get("name", "")), said == meant)],
        trail=_trail(row),
    )


def _trail(row: Mapping[str, Any], place: str = "") -> list[str]:
    """Such as "Epoch 1: a red ring hops"; the last evaluation is what stands above it."""
    before = list(row.get("trail") or [])[-2::-1]
    return [f"Epoch {epoch:.1f}".removesuffix(".0") + f": {place}{answer}" for epoch, answer in before]


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


def result_of(summary: Mapping[str, Any]) -> Result:
    """What a run reached, from its summary: accuracy and confusion matrix on the held-out clips."""
    matrix = summary.get("confusion") or summary.get("confusion_matrix") or []
    labels = [str(name) for name in summary.get("class_names") or range(len(matrix))]
    metric = TASKS[task_of(summary)].headline
    reached = number(summary.get(metric.name))
    if reached is None and not matrix:
        return Result()
    total = sum(sum(row) for row in matrix) or int(number(summary.get("validation_clips")) or 0)
    pairs = zip(labels, matrix, strict=False)
    return Result(
        known=True,
        accuracy=_figure(metric, reached),
        loss=formatting.loss(number(summary.get("eval_loss"))),
        clips=f"{_what(metric)} {formatting.plural(int(total), 'held-out clip')}" if total else "",
        reached=_reached(summary),
        labels=labels,
        confusion=[_confusion_row(labels, label, row, i) for i, (label, row) in enumerate(pairs)],
    )


def _what(metric: Metric) -> str:
    return "right on" if metric.of_clips else f"{metric.label} on"


def _reached(summary: Mapping[str, Any]) -> list[Reached]:
    base = summary.get("baseline") or {}
    found = [(metric, number(summary.get(metric.name))) for metric in TASKS[task_of(summary)].metrics]
    return [
        Reached(metric.label, _figure(metric, value), _figure(metric, number(base.get(metric.name))))
        for metric, value in found
        if value is not None
    ]


def task_of(summary: Mapping[str, Any]) -> str:
    """What a run is about: noted at its launch; runs from before that are classification."""
    return task_spec(summary.get("task")).key


def _figure(metric: Metric, value: float | None) -> str:
    if value is None:
        return ""
    return formatting.percent(value, 1) if metric.share else f"{value:g}"


def _confusion_row(labels: list[str], label: str, row: list[int], index: int) -> ConfusionRow:
    total = sum(row)  # none where nothing of the class was held out
    said = (*labels, *map(str, range(len(labels), len(row))))
    cells = [ConfusionCell(int(n), i == index, pair_of(label, said[i])) for i, n in enumerate(row)]
    return ConfusionRow(label, cells, formatting.percent(row[index] / total) if total and index < len(row) else "–")
