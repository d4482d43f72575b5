"""What a training job reached: its measures beside the untouched base's, and which clips were called what."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from orchestrator.domain.metric_definitions import MEASURES, Measure, headline
from orchestrator.states.shared import formatting
from orchestrator.states.jobs.rows import number
from orchestrator.states.jobs.samples import pair_of


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
    """One measure of a finished run, beside what the untouched base (or guessing) reaches."""

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
    measure = headline(task_of(summary))
    reached = number(summary.get(measure.name))
    if reached is None and not matrix:
        return Result()
    total = sum(sum(row) for row in matrix) or int(number(summary.get("validation_clips")) or 0)
    pairs = zip(labels, matrix, strict=False)
    return Result(
        known=True,
        accuracy=_figure(measure, reached),
        loss=formatting.loss(number(summary.get("eval_loss"))),
        clips=f"{_what(measure)} {formatting.plural(int(total), 'held-out clip')}" if total else "",
        reached=_reached(summary),
        labels=labels,
        confusion=[_confusion_row(labels, label, row, i) for i, (label, row) in enumerate(pairs)],
    )


def _what(measure: Measure) -> str:
    return "right on" if measure.name == "eval_accuracy" else f"{measure.label} on"


def _reached(summary: Mapping[str, Any]) -> list[Reached]:
    base = summary.get("baseline") or {}
    found = [(measure, number(summary.get(measure.name))) for measure in MEASURES[task_of(summary)]]
    return [
        Reached(measure.label, _figure(measure, value), _figure(measure, number(base.get(measure.name))))
        for measure, value in found
        if value is not None
    ]


def task_of(summary: Mapping[str, Any]) -> str:
    """What a run is about: noted at its launch; runs from before that are classification."""
    task = summary.get("task")
    return task if task in MEASURES else "classification"


def _figure(measure: Measure, value: float | None) -> str:
    if value is None:
        return ""
    return formatting.percent(value, 1) if measure.share else f"{value:g}"


def _confusion_row(labels: list[str], label: str, row: list[int], index: int) -> ConfusionRow:
    total = sum(row)  # none where nothing of the class was held out
    said = (*labels, *map(str, range(len(labels), len(row))))
    cells = [ConfusionCell(int(n), i == index, pair_of(label, said[i])) for i, n in enumerate(row)]
    return ConfusionRow(label, cells, formatting.percent(row[index] / total) if total and index < len(row) else "–")
