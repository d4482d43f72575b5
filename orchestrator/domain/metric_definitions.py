"""What each task is judged by, and how a figure is written. No table: a trainer reads this, too."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Measure:
    """How one figure of an evaluation is called, written and compared."""

    name: str
    label: str
    share: bool = True
    """True: 0 to 1, written as a percentage."""
    more_is_better: bool = True


MEASURES: dict[str, tuple[Measure, ...]] = {
    "classification": (Measure("eval_accuracy", "Accuracy"), Measure("eval_top5", "Top-5 accuracy")),
    "captioning": (
        Measure("eval_exact", "Exact match"),
        Measure("eval_rouge_l", "ROUGE-L"),
        Measure("eval_bleu", "BLEU"),
    ),
    "retrieval": (
        Measure("eval_r1", "R@1"),
        Measure("eval_r5", "R@5"),
        Measure("eval_r10", "R@10"),
        Measure("eval_median_rank", "Median rank", share=False, more_is_better=False),
    ),
}
"""What each task is judged by; the first is the one that stands for a run."""
BY_NAME = {measure.name: measure for measures in MEASURES.values() for measure in measures}


def headline(task: str) -> Measure:
    """The measure that stands for a run of this task."""
    return MEASURES[task][0]


def headline_in(values: Mapping[str, Any]) -> Measure | None:
    """The first headline that `values` holds: for whoever knows a run's figures but not its task."""
    return next((measures[0] for measures in MEASURES.values() if measures[0].name in values), None)


def figure(measure: Measure, value: float) -> str:
    """A value as a person reads it: 93.8%, or 2."""
    return f"{value:.1%}" if measure.share else f"{value:g}"
