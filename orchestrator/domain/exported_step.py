"""Which step of a run becomes its result: the best evaluation so far, and the sentence about the choice."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Self, assert_never

from orchestrator.domain import formatting
from orchestrator.domain.metric_definitions import Metric, figure, inside_sentence
from orchestrator.domain.tasks import METRICS

_LOSS = "eval_loss"


class ExportReason(StrEnum):
    """Why a step was exported."""

    BEST = "best"
    """Its evaluation was the best."""
    LAST = "last"
    """The recipe asks for the last step."""
    NO_EVALUATION = "no_evaluation"
    """Nothing was evaluated that could be compared: no clips were held out, or the run was stopped before."""
    BEST_IS_MISSING = "best_is_missing"
    """The checkpoint of the best evaluation is missing or damaged, so the last step is what is left."""


@dataclass(frozen=True, slots=True)
class BestEvaluation:
    """The best evaluation of a run so far. Each checkpoint holds it, so that a resumed run goes on with it."""

    step: int = 0
    """0: nothing was evaluated yet."""
    epoch: float = 0.0
    measure: str = ""
    """The metric that decided: the task's headline, or `eval_loss` where the evaluation has none."""
    values: dict[str, float] = field(default_factory=dict)
    """All metrics of that evaluation."""
    evaluations: int = 0
    """Evaluations so far."""
    since_best: int = 0
    """Evaluations in a row that were no better."""

    def after(self, step: int, epoch: float, values: Mapping[str, float], headline: Metric) -> Self:
        """The best one after another evaluation. Equal headlines are decided by the validation loss, then the earlier.

        Args:
            values: the metrics of the new evaluation, with `eval_loss`.
        """
        measure = headline.name if headline.name in values else _LOSS
        count = self.evaluations + 1
        if self.step and _rank(values, headline) <= _rank(self.values, headline):
            return type(self)(self.step, self.epoch, self.measure, self.values, count, self.since_best + 1)
        return type(self)(step, epoch, measure, dict(values), count, 0)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, raw: Any) -> Self:
        """What `to_json` gave; the state of a run that evaluated nothing where it cannot be read."""
        try:
            values = {str(name): float(value) for name, value in raw["values"].items()}
            counts = int(raw["evaluations"]), int(raw["since_best"])
            return cls(int(raw["step"]), float(raw["epoch"]), str(raw["measure"]), values, *counts)
        except (KeyError, TypeError, ValueError, AttributeError):
            return cls()


def _rank(values: Mapping[str, float], headline: Metric) -> tuple[float, float]:
    """Higher is better; a value that is missing or no number is the worst."""
    sign = 1.0 if headline.more_is_better else -1.0
    return _finite(sign * values.get(headline.name, math.nan)), _finite(-values.get(_LOSS, math.nan))


def _finite(value: float) -> float:
    return value if math.isfinite(value) else -math.inf


def exported_sentence(why: ExportReason, last_step: int, best: BestEvaluation) -> str:
    """Which step was exported and why, as the job's page, the card and REST say it.

    Args:
        last_step: the last step that was trained.
        best: the best evaluation, whose step was exported where `why` says so.
    """
    last = f"Step {formatting.count(last_step)}, the last, was exported"
    match why:
        case ExportReason.BEST:
            step = f"Step {formatting.count(best.step)} of {formatting.count(last_step)} was exported"
            evaluated = formatting.plural(best.evaluations, "evaluation")
            return f"{step}: it had the best {_named(best)} of {evaluated}."
        case ExportReason.LAST:
            return f"{last}, as the recipe asks."
        case ExportReason.NO_EVALUATION:
            return f"{last}: there was no evaluation to choose by."
        case ExportReason.BEST_IS_MISSING:
            return f"{last}: the checkpoint of the best evaluation is missing or damaged."
        case _:
            assert_never(why)


def _named(best: BestEvaluation) -> str:
    """The measure and its value, within a sentence."""
    value = best.values.get(best.measure)
    metric = METRICS.get(best.measure)
    if metric is None:
        return f"validation loss ({formatting.loss(value)})"
    return f"{inside_sentence(metric.label)} ({figure(metric, value)})" if value is not None else metric.label
