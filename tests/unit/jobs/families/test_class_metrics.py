"""Balanced accuracy, macro F1 and the table by class of a matrix that is worked out by hand."""

import numpy as np
import pytest

from jobs.families.class_metrics import chance_metrics, class_figures, class_intervals, class_metrics, confusion_matrix

MATRIX = np.array([[6, 2, 0, 0], [1, 1, 0, 0], [0, 0, 0, 0], [0, 0, 1, 0]])
"""Rows are true classes: 8, 2, 0 and 1 clips. By hand: recalls 3/4, 1/2, -, 0; precisions 6/7, 1/3, 0/1, -."""


def test_metrics_by_hand() -> None:
    """F1 of the classes: 12/15, 2/5, 0/1, 0/1; the third class has no clip but was called once, so it counts."""
    found = class_metrics(MATRIX)
    assert found["eval_accuracy"] == pytest.approx(7 / 11)
    assert found["eval_balanced_accuracy"] == pytest.approx((3 / 4 + 1 / 2 + 0) / 3)
    assert found["eval_f1_macro"] == pytest.approx((12 / 15 + 2 / 5 + 0 + 0) / 4)


def test_the_table_by_class() -> None:
    rows = [(r.name, r.precision, r.recall, r.f1, r.clips) for r in class_figures(MATRIX, ("a", "b", "c", "d"))]
    assert rows == [
        ("a", round(6 / 7, 4), 0.75, 0.8, 8),
        ("b", round(1 / 3, 4), 0.5, 0.4, 2),
        ("c", 0.0, 0.0, 0.0, 0),
        ("d", 0.0, 0.0, 0.0, 1),
    ]


def test_the_matrix_of_labels() -> None:
    labels, predicted = np.array([0, 0, 1, 2]), np.array([0, 1, 1, 0])
    assert confusion_matrix(labels, predicted, 3).tolist() == [[1, 1, 0], [0, 1, 0], [1, 0, 0]]


def test_chance_names_the_largest_class() -> None:
    """Nine of ten clips of one class: accuracy 0.9 is chance, and its balanced accuracy says so."""
    found = chance_metrics(np.array([0.9, 0.1]), 5)
    always = class_metrics(np.array([[9, 0], [1, 0]]))
    assert found == pytest.approx(always)
    assert chance_metrics(np.array([0.3, 0.2, 0.2, 0.1, 0.1, 0.1]), 5)["eval_top5"] == pytest.approx(0.9)


def test_intervals_hold_the_metric_and_shrink_with_the_clips() -> None:
    few, many = class_intervals(MATRIX), class_intervals(MATRIX * 100)
    for name, value in class_metrics(MATRIX).items():
        assert many[name][0] <= value <= many[name][1]
        assert many[name][1] - many[name][0] < 0.3 * (few[name][1] - few[name][0])
    assert class_intervals(MATRIX) == few
    assert class_intervals(np.zeros((2, 2), int)) == {}
