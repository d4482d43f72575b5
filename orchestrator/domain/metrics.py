"""What a measured point is, and the JSON records that travel from trainer to page."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Column
from sqlmodel import Field, SQLModel

SERIES = ("loss", "learning_rate", "grad_norm", "samples_per_s", "eval_loss")
"""The series that every run has, in the order pages show them; the measures of its task follow."""


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


class MetricPoint(SQLModel, table=True):
    """One value of one series at one optimizer step; a resumed attempt overwrites what it trains again."""

    __tablename__ = "metric_points"

    job_id: int = Field(foreign_key="training_jobs.id", ondelete="CASCADE", primary_key=True)
    series: str = Field(max_length=48, primary_key=True)
    step: int = Field(primary_key=True)
    value: float
    epoch: float = 0.0
    seq: int = 0
    """Rises by one with each record of the job, across attempts: how a page sees a gap."""
    at_ms: int = Field(default=0, sa_column=Column(BigInteger, nullable=False, default=0))
    """Milliseconds since 1970, UTC."""


ROLLUP_STEPS = 256
"""How many steps one rollup covers: a million points become four thousand rows, which a page can afford to read."""


class MetricRollup(SQLModel, table=True):
    """The lowest and the highest point of one series in a run of steps, written along with the points."""

    __tablename__ = "metric_rollups"

    job_id: int = Field(foreign_key="training_jobs.id", ondelete="CASCADE", primary_key=True)
    series: str = Field(max_length=48, primary_key=True)
    bucket: int = Field(primary_key=True)
    """step // ROLLUP_STEPS."""
    low: float
    low_step: int
    high: float
    high_step: int
    points: int
    seq: int
    """The highest record number in it: where to look for what is newer than some number."""
