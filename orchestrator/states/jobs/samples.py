"""The results of a run as rows: sample predictions, misclassified clips, metrics, classes, confusion matrix."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import assert_never

from orchestrator.domain import formatting
from orchestrator.domain.metric_definitions import INTERVAL, Metric, figure
from orchestrator.domain.run_summary import ClassResult, Prediction, RunSummary, unjudged_sentence
from orchestrator.domain.tasks import TASKS, AnswerKind, task_spec
from orchestrator.states.shared.presentation import clip_address

RIGHT, WRONG = "right", "wrong"


@dataclass(frozen=True, slots=True)
class SampleClip:
    """One clip of an answer."""

    picture: str
    """Address of four frames side by side."""
    preview: str
    """Address of the clip as a browser plays it."""
    note: str
    right: bool


@dataclass(frozen=True, slots=True)
class Sample:
    """A validation clip with the model's prediction, and whether it is right."""

    title: str
    note: str
    before: str
    """The untouched base's prediction, as a sentence; "" where there is none."""
    mark: str
    """right | wrong; "" where it is not judged: captions that differ may say the same."""
    clips: list[SampleClip] = field(default_factory=list)
    trail: list[str] = field(default_factory=list)
    """The predictions of earlier evaluations, newest first."""
    question: str = ""
    """What was asked about the clip; "" for a caption."""
    pair: str = ""
    """Of a misclassified clip: its cell of the confusion matrix (see `pair_of`)."""


def samples_of(summary: RunSummary) -> list[Sample]:
    """Queries with the clips found for them, or clips with their predicted caption or class; the wrong ones first."""
    samples = [_sample_of(row, row.kind_in(summary.task)) for row in summary.samples]
    return sorted(samples, key=lambda sample: sample.mark != WRONG)


def chance_note(summary: RunSummary) -> str:
    """What an untrained head would reach, for the header of the samples; "" where the task has no classes."""
    classes = len(summary.class_names)
    return f"before the training each is a guess among {classes} classes" if classes else ""


def _sample_of(row: Prediction, kind: AnswerKind) -> Sample:
    match kind:
        case AnswerKind.CLASSES:
            return _class_sample(row)
        case AnswerKind.TEXT:
            return _caption_sample(row)
        case AnswerKind.CLIPS:
            return _query_sample(row)
        case _:
            assert_never(kind)


def pair_of(label: str, predicted: str) -> str:
    """The name of a cell of the confusion matrix."""
    return f"{label}\u2192{predicted}"


def mistakes_of(summary: RunSummary) -> list[Sample]:
    """Clips that were assigned a wrong class, the most confident first."""
    return [
        Sample(
            title=f"Predicted {_scored(row, row.predicted_labels) or 'none of its classes'}"
            if row.labels
            else _predicted(row),
            note=f"Label {row.label}" + (f"; {_what_is_wrong(row)}" if row.labels else ""),
            before="",
            mark=WRONG,
            clips=[_sample_clip(row.clip_id, row.name, False)],
            pair=pair_of(row.label, row.predicted or ""),
        )
        for row in summary.mistakes
    ]


def _sample_clip(clip_id: int | None, note: str, right: bool) -> SampleClip:
    number = clip_id or 0
    return SampleClip(clip_address(number, "thumbnail"), clip_address(number, "preview"), note, right)


def _query_sample(row: Prediction) -> Sample:
    clips = [_sample_clip(clip.clip_id, f"{clip.score:.2f}", clip.right) for clip in row.top]
    note = f"Found at rank {row.rank}"
    return Sample(row.reference, note, "", RIGHT if row.rank == 1 else "", clips, _trail(row, "found at rank "))


def _caption_sample(row: Prediction) -> Sample:
    right = row.predicted == row.reference if row.score is None else row.score == 1
    same = row.predicted == row.reference
    return Sample(
        title=row.predicted or "",
        note="As expected"
        if same
        else f"Counts as right; expected: {row.reference}"
        if right
        else f"Expected: {row.reference}",
        before=f"Before the training: {row.before}" if row.before else "",
        mark=RIGHT if right else "" if row.score is None else WRONG,
        clips=[_sample_clip(row.clip_id, row.name, right)],
        trail=_trail(row),
        question=row.question,
    )


def _labels_sample(row: Prediction) -> Sample:
    """A clip with several labels: the classes with a score of at least 0.5, and what is wrong with them."""
    return Sample(
        title=f"Predicted {_scored(row, row.predicted_labels)}" if row.predicted_labels else "No class reaches 50 %",
        note=f"Label {row.label}" + ("" if row.is_right else f"; {_what_is_wrong(row)}"),
        before="",
        mark=RIGHT if row.is_right else WRONG,
        clips=[_sample_clip(row.clip_id, row.name, row.is_right)],
        trail=_trail(row),
    )


def _what_is_wrong(row: Prediction) -> str:
    missed = [name for name in row.labels if name not in row.predicted_labels]
    extra = [name for name in row.predicted_labels if name not in row.labels]
    parts = [f"missed {_scored(row, missed)}"] if missed else []
    parts += [f"not shown: {', '.join(extra)}"] if extra else []
    return "; ".join(parts)


def _scored(row: Prediction, names: Sequence[str]) -> str:
    """Classes with their scores: "run 93 %, jump 61 %"."""
    return ", ".join(f"{name} {formatting.percent(row.scores.get(name, 0.0))}" for name in names)


def _class_sample(row: Prediction) -> Sample:
    if row.labels:
        return _labels_sample(row)
    right = row.is_right
    return Sample(
        title=_predicted(row),
        note=f"Label {row.label}",
        before="",
        mark=RIGHT if right else WRONG,
        clips=[_sample_clip(row.clip_id, row.name, right)],
        trail=_trail(row),
    )


def _predicted(row: Prediction) -> str:
    """Such as "Predicted bouncing 94 %"."""
    return f"Predicted {row.predicted} {formatting.percent(row.confidence or 0.0)}"


def _trail(row: Prediction, prefix: str = "") -> list[str]:
    """Such as "Epoch 1: a red ring hops"; without the last evaluation, which is the sample itself."""
    return [f"Epoch {epoch:.1f}".removesuffix(".0") + f": {prefix}{answer}" for epoch, answer in row.trail[-2::-1]]


@dataclass(frozen=True, slots=True)
class ConfusionCell:
    """How many clips of one class were assigned another."""

    clips: int
    count: str
    """The same in words: "1 clip"."""
    right: bool
    pair: str
    """Identifies the cell (see `pair_of`)."""


@dataclass(frozen=True, slots=True)
class ConfusionRow:
    """One true class: how many of its validation clips were assigned to which class."""

    label: str
    cells: list[ConfusionCell]
    right: str
    """Share of the class's clips that were classified correctly."""


@dataclass(frozen=True, slots=True)
class ClassLine:
    """How well one class was found among the validation clips; a dash where it cannot be said."""

    name: str
    clips: str
    average_precision: str
    precision: str
    recall: str
    f1: str


@dataclass(frozen=True, slots=True)
class MetricComparison:
    """One metric of a finished run, and the untouched base's (or chance level) for comparison."""

    label: str
    now: str
    before: str
    name: str = ""
    """As the run stores it: eval_accuracy."""


@dataclass(frozen=True, slots=True)
class ClassRow:
    """How well one class is told from the others."""

    name: str
    precision: str
    recall: str
    f1: str
    support: str


@dataclass(frozen=True, slots=True)
class Result:
    """The results of a finished run."""

    known: bool = False
    headline: str = ""
    """The value of the task's headline metric."""
    loss: str = ""
    clips: str = ""
    """Such as "R@1 on 48 validation clips"."""
    metrics: list[MetricComparison] = field(default_factory=list)
    baseline: str = ""
    """What the metrics are compared with."""
    matrix_note: str = ""
    """Why there is no confusion matrix, where there would be one."""
    by_class: list[ClassRow] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    confusion: list[ConfusionRow] = field(default_factory=list)
    classes: list[ClassLine] = field(default_factory=list)
    """Of a run with several labels, in the place of the confusion matrix."""
    unjudged: str = ""
    """Names the classes that no validation clip has."""


def result_of(summary: RunSummary) -> Result:
    """The results in a run's summary: metrics and confusion matrix on the validation clips."""
    matrix = summary.confusion_matrix
    labels = [str(name) for name in summary.class_names or range(len(matrix))]
    metric = TASKS[task_of(summary)].headline(summary.problem_type)
    value = summary.value(metric.name)
    if value is None and not matrix:
        return Result()
    total = sum(sum(row) for row in matrix) or summary.validation_clips
    pairs = zip(labels, matrix, strict=False)
    return Result(
        known=True,
        headline=_figure(metric, value),
        loss=formatting.loss(summary.eval_loss),
        clips=f"{_headline_label(metric)} {formatting.plural(total, 'validation clip')}{_correct(matrix)}"
        f"{_interval(metric, summary)}"
        if total
        else "",
        metrics=_metrics(summary),
        baseline=(summary.baseline_name or TASKS[task_of(summary)].baseline) + _clips_of_baseline(summary),
        by_class=[
            ClassRow(
                row.name,
                formatting.percent(row.precision or 0.0),
                formatting.percent(row.recall or 0.0),
                formatting.percent(row.f1 or 0.0),
                formatting.count(row.clips),
            )
            for row in summary.by_class
        ],
        matrix_note=""
        if matrix or summary.classes or not labels
        else f"The confusion matrix of {len(labels)} classes is too large to show.",
        labels=labels,
        confusion=[_confusion_row(labels, label, row, i) for i, (label, row) in enumerate(pairs)],
        classes=[_class_line(row) for row in summary.classes if row.clips],
        unjudged=unjudged_sentence(summary),
    )


def _class_line(row: ClassResult) -> ClassLine:
    shares = (row.average_precision, row.precision, row.recall, row.f1)
    return ClassLine(
        row.name,
        formatting.count(row.clips),
        *("–" if share is None else formatting.percent(share) for share in shares),
    )


def _interval(metric: Metric, summary: RunSummary) -> str:
    """The 95 % interval of a metric, where it is known."""
    if metric.name not in summary.intervals:
        return ""
    low, high = summary.intervals[metric.name]
    return f", {INTERVAL} {figure(metric, low)} to {figure(metric, high)}"


def _clips_of_baseline(summary: RunSummary) -> str:
    return f", {formatting.plural(summary.baseline_clips, 'clip')}" if summary.baseline_clips else ""


def _headline_label(metric: Metric) -> str:
    return "accuracy on" if metric.of_clips else f"{metric.label} on"


def _correct(matrix: list[list[int]]) -> str:
    return f" ({sum(row[place] for place, row in enumerate(matrix) if place < len(row)):,} correct)" if matrix else ""


def _metrics(summary: RunSummary) -> list[MetricComparison]:
    metrics = TASKS[task_of(summary)].judged_by(summary.problem_type)
    values = [(metric, summary.value(metric.name)) for metric in metrics]
    return [
        MetricComparison(
            metric.label, _figure(metric, value), _figure(metric, summary.baseline.get(metric.name)), metric.name
        )
        for metric, value in values
        if value is not None
    ]


def task_of(summary: RunSummary) -> str:
    """The task that was stored at the launch; runs without one are older and did classification."""
    return task_spec(summary.task).key


def _figure(metric: Metric, value: float | None) -> str:
    return "" if value is None else figure(metric, value)


def _confusion_row(labels: list[str], label: str, row: list[int], index: int) -> ConfusionRow:
    total = sum(row)  # 0 where the class has no validation clip
    predicted = (*labels, *map(str, range(len(labels), len(row))))
    cells = [
        ConfusionCell(
            int(count), formatting.plural(int(count), "clip"), place == index, pair_of(label, predicted[place])
        )
        for place, count in enumerate(row)
    ]
    return ConfusionRow(label, cells, formatting.percent(row[index] / total) if total and index < len(row) else "–")
