"""Average precision equals scikit-learn's, the chance level is that of random scores, unseen classes are left out."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jobs.families.classification import class_chance_level, class_targets, classification_answers
from jobs.families.multi_label import (
    average_precision,
    multi_label_chance_level,
    random_average_precision,
    score_multi_label,
)
from jobs.families.protocol import Base, Plan
from jobs.runs.clip_spec import ClipSpec
from jobs.trainer.results import summarize_evaluation
from orchestrator.domain.recipes import Recipe
from orchestrator.domain.run_summary import RunSummary
from orchestrator.domain.tasks import AnswerKind, ProblemType
from orchestrator.states.jobs.samples import mistakes_of, result_of, samples_of

NAMES = ("jump", "run", "sit")


def _plan(held_out: tuple[int, ...] = ()) -> Plan:
    base = Base(Path(), {}, {})
    return Plan(base, Recipe(), "classification", NAMES, problem_type=ProblemType.MULTI_LABEL, held_out_counts=held_out)


@pytest.mark.parametrize(
    ("positives", "scores", "expected"),
    [  # `sklearn.metrics.average_precision_score` 1.9.1
        ([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8], 0.8333333333333333),
        ([1, 0, 1, 0, 1, 0], [0.9, 0.8, 0.7, 0.6, 0.5, 0.4], 0.7555555555555555),
        ([1, 0, 1, 0], [0.5, 0.5, 0.5, 0.5], 0.5),
        ([0, 1, 1, 0, 1], [0.7, 0.7, 0.3, 0.3, 0.1], 0.5333333333333333),
        ([1, 1], [0.2, 0.1], 1.0),
        ([0, 0, 0, 1], [0.4, 0.3, 0.2, 0.1], 0.25),
    ],
)
def test_average_precision_is_scikit_learns(positives: list[int], scores: list[float], expected: float) -> None:
    assert average_precision(np.array(scores), np.array(positives, bool)) == pytest.approx(expected)


def test_the_chance_level_is_that_of_random_scores() -> None:
    rng = np.random.default_rng(3)
    for clips, count in ((10, 1), (10, 4), (40, 30)):
        positives = np.arange(clips) < count
        drawn = np.mean([average_precision(rng.random(clips), positives) for _ in range(4000)])
        assert random_average_precision(count, clips) == pytest.approx(drawn, abs=0.01)
    labels = rng.random((4000, 3)) < [0.1, 0.3, 0.0]
    logits = rng.permuted(np.linspace(-3, 3, 12_000)).reshape(4000, 3)
    chance = multi_label_chance_level(labels.sum(0).tolist(), 4000)
    assert score_multi_label(logits, labels, NAMES).values == pytest.approx(chance, abs=0.02)
    assert class_chance_level(_plan((2, 2, 0)), 4)["eval_map"] == pytest.approx(random_average_precision(2, 4))
    assert multi_label_chance_level([0, 0], 4) == {}


def test_metrics_table_and_mistakes() -> None:
    logits = np.array([[3, 2, -3], [2, -2, -3], [-2, 3, -1], [-3, -2, -1]], np.float32)
    labels = np.array([[1, 1, 0], [1, 1, 0], [0, 1, 0], [1, 0, 0]])
    score = score_multi_label(logits, labels, NAMES)
    assert score.values["eval_f1_micro"] == pytest.approx(2 * 4 / (4 + 6))
    ap = (average_precision(logits[:, 0], labels[:, 0] > 0) + average_precision(logits[:, 1], labels[:, 1] > 0)) / 2
    assert score.values["eval_map"] == pytest.approx(ap)
    assert score.values["eval_f1_macro"] == pytest.approx((4 / 5 + 4 / 5) / 2)
    clips = [
        ClipSpec(n, f"/{n}.mp4", "jump, run", "", "auto", str(n), f"{n}.mp4", annotations={"labels": ["jump", "run"]})
        for n in range(4)
    ]
    outcome = summarize_evaluation(score, AnswerKind.CLASSES, 0.4, clips, {"eval_map": 0.5})
    summary = outcome.summary.merged(RunSummary(task="classification", problem_type="multi_label_classification"))
    assert RunSummary.from_json(summary.to_json()) == summary
    shown = result_of(summary)
    assert [(row.label, row.before[:2]) for row in shown.metrics] == [("mAP", "50"), ("Micro F1", ""), ("Macro F1", "")]
    assert [row.name for row in shown.classes] == ["jump", "run"]
    assert shown.unjudged == "No held-out clip has sit: left out of the means."
    assert not shown.confusion
    assert not shown.matrix_note
    assert outcome.predictions[0].scores == {"jump": 0.9526, "run": 0.8808, "sit": 0.0474}
    assert [(row.title, row.note) for row in mistakes_of(summary)] == [
        ("Predicted jump 88\u202f%", "Label jump, run; missed run 12\u202f%"),
        ("Predicted none of its classes", "Label jump, run; missed jump 5\u202f%"),
    ]
    assert any(
        row.mark == "right" and row.title == "Predicted jump 95\u202f%, run 88\u202f%" for row in samples_of(summary)
    )


def test_targets_and_answers() -> None:
    items: list[dict[str, Any]] = [{"label": 0, "labels": [0, 2]}, {"label": 1, "labels": [1]}]
    assert class_targets(_plan(), items).tolist() == [[1, 0, 1], [0, 1, 0]]
    [answer] = classification_answers(_plan(), np.array([[0.0, 2.0, -40.0]], np.float32))
    assert [name for name, _ in answer.probabilities] == ["run", "jump", "sit"]
    assert [share for _, share in answer.probabilities] == pytest.approx([0.8808, 0.5, 0.0], abs=1e-4)
    assert answer.problem_type is ProblemType.MULTI_LABEL
