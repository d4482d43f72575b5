"""The best evaluation of a run by the task's headline, its loss, its order; and the sentence about it."""

import math

import pytest

from orchestrator.domain.exported_step import BestEvaluation, ExportReason, exported_sentence
from orchestrator.domain.metric_definitions import Metric
from orchestrator.domain.recipe_eval import Keep
from orchestrator.domain.recipes import Recipe
from orchestrator.domain.tasks import TASKS, Task

ACCURACY = TASKS[Task.CLASSIFICATION].headline("")
RANK = Metric("eval_median_rank", "Median rank", share=False, more_is_better=False)


def best_of(headline: Metric, *evaluations: dict[str, float]) -> BestEvaluation:
    best = BestEvaluation()
    for number, values in enumerate(evaluations, start=1):
        best = best.after(10 * number, number, values, headline)
    return best


def test_the_best_is_exported_unless_asked_otherwise() -> None:
    assert (Recipe().eval.keep, Recipe().eval.patience, Recipe().eval.every) == (Keep.BEST, 0, 0)


@pytest.mark.parametrize(
    ("headline", "evaluations", "step", "since"),
    [
        (ACCURACY, [{"eval_accuracy": a, "eval_loss": 1.0} for a in (0.5, 0.9, 0.7)], 20, 1),
        (ACCURACY, [{"eval_accuracy": 0.9, "eval_loss": loss} for loss in (0.5, 0.3, 0.3)], 20, 1),
        (ACCURACY, [{"eval_loss": loss} for loss in (0.5, 0.3, 0.4)], 20, 1),
        (ACCURACY, [{"eval_loss": loss} for loss in (math.nan, 0.3)], 20, 0),
        (ACCURACY, [{"eval_accuracy": a, "eval_loss": math.nan} for a in (0.5, 0.4)], 10, 1),
        (RANK, [{"eval_median_rank": r, "eval_loss": 1.0} for r in (9, 4, 6, 5)], 20, 2),
    ],
)
def test_the_best_evaluation(headline: Metric, evaluations: list[dict[str, float]], step: int, since: int) -> None:
    best = best_of(headline, *evaluations)
    assert (best.step, best.since_best, best.evaluations) == (step, since, len(evaluations))
    assert BestEvaluation.from_json(best.to_json()) == best


@pytest.mark.parametrize("raw", [None, [], {}, {"step": "x"}, {"step": 4, "values": 7}])
def test_a_state_that_cannot_be_read_is_that_of_no_evaluation(raw: object) -> None:
    assert BestEvaluation.from_json(raw) == BestEvaluation()


def test_the_sentence_names_step_measure_and_reason() -> None:
    best = best_of(ACCURACY, {"eval_accuracy": 0.938, "eval_loss": 1.0}, {"eval_accuracy": 0.5, "eval_loss": 1.0})
    said = exported_sentence(ExportReason.BEST, 20, best)
    assert said == "Step 10 of 20 was exported: it had the best accuracy (93.8\u202f%) of 2\u00a0evaluations."
    lost = best_of(ACCURACY, {"eval_loss": 0.25})
    assert "the best validation loss (0.250) of 1\u00a0evaluation." in exported_sentence(ExportReason.BEST, 10, lost)
    assert all(exported_sentence(why, 10, best) for why in ExportReason)
