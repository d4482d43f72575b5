"""Accuracy, top-5 accuracy and the confusion matrix of a small set with known answers, and the chance level."""

from pathlib import Path

import numpy as np
import pytest

from jobs.families.classification import class_chance_level, score_classes
from jobs.families.protocol import Base, Plan
from jobs.runs.clip_spec import ClipSpec
from jobs.trainer.results import summarize_evaluation
from orchestrator.domain.recipes import Recipe
from orchestrator.domain.run_summary import RunSummary
from orchestrator.domain.tasks import AnswerKind
from orchestrator.states.jobs.samples import result_of

NAMES = [f"class {letter}" for letter in "abcdefgh"]


def _plan(names: list[str], counts: tuple[int, ...] = ()) -> Plan:
    return Plan(Base(Path(), {}, {}), Recipe(), "classification", tuple(names), held_out_counts=counts)


def test_metrics_matrix_and_mistakes() -> None:
    labels = np.array([0, 1, 2, 3])
    logits = np.tile(np.arange(8, 0, -1, dtype=np.float32), (4, 1))  # predicts a, then b, c, d, e, f, g, h
    logits[3] = logits[3][::-1]  # predicts h first and d fifth
    score = score_classes(logits, labels, NAMES)
    assert (score.values["eval_accuracy"], score.values["eval_top5"]) == (0.25, 1.0)
    assert score_classes(logits, labels + 4, NAMES).values["eval_top5"] == pytest.approx(0.5)
    clips = [ClipSpec(n, f"/{n}.mp4", NAMES[n], "", "auto", str(n), f"{n}.mp4") for n in range(4)]
    summary = summarize_evaluation(score, AnswerKind.CLASSES, 1.0, clips, class_chance_level(_plan(NAMES), 4)).summary
    assert [(row.label, row.predicted) for row in summary.mistakes] == [
        ("class b", "class a"), ("class c", "class a"), ("class d", "class h"),
    ]  # fmt: skip
    shown = result_of(summary.merged(RunSummary(task="classification")))
    assert [[cell.clips for cell in row.cells] for row in shown.confusion[:4]] == summary.confusion_matrix[:4]
    assert shown.confusion[3].cells[7].clips == 1
    assert [row.right[:-2] for row in shown.confusion[:4]] == ["100", "0", "0", "0"]
    assert shown.confusion[4].right == "–", "none of it was held out"
    assert [(row.label, row.now[:3], row.before[:4]) for row in shown.metrics] == [
        ("Accuracy", "25.", "12.5"), ("Top-5 accuracy", "100", "62.5"),
        ("Balanced accuracy", "25.", "12.5"), ("Macro F1", "10.", "2.8\u202f"),
    ]  # fmt: skip


def test_five_classes_have_no_top_five() -> None:
    few = NAMES[:5]
    assert class_chance_level(_plan(few), 5)["eval_accuracy"] == 0.2
    assert class_chance_level(_plan(few, (8, 1, 1, 0, 0)), 10)["eval_accuracy"] == 0.8
    values = score_classes(np.eye(5, dtype=np.float32), np.arange(5), few).values
    assert (
        set(values)
        == set(class_chance_level(_plan(few), 5))
        == {"eval_accuracy", "eval_balanced_accuracy", "eval_f1_macro"}
    )
