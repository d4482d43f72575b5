"""Measures of classification from a confusion matrix, defined as in scikit-learn's metrics."""

import numpy as np
from numpy.typing import NDArray

from jobs.families.intervals import Interval, percentiles, resampled_matrices
from orchestrator.domain.run_summary import ClassResult

Counts = NDArray[np.integer]


def confusion_matrix(labels: Counts, predicted: Counts, classes: int) -> NDArray[np.int64]:
    """(classes, classes) counts: rows are true classes, columns predicted ones."""
    matrix = np.zeros((classes, classes), np.int64)
    np.add.at(matrix, (labels, predicted), 1)
    return matrix


def class_metrics(matrix: Counts) -> dict[str, float]:
    """Accuracy, balanced accuracy and macro F1 of a confusion matrix.

    Balanced accuracy is the mean recall of the classes that have clips (`balanced_accuracy_score`). Macro F1 is the
    mean F1 of the classes that have clips or were predicted (`f1_score(average="macro", zero_division=0)`).
    """
    return dict(zip(_NAMES, map(float, _values(matrix[None])[0]), strict=True))


def class_intervals(matrix: NDArray[np.int64]) -> dict[str, Interval]:
    """95 % intervals of the same metrics."""
    if not matrix.sum():
        return {}
    return dict(zip(_NAMES, percentiles(_values(resampled_matrices(matrix))), strict=True))


def class_figures(matrix: Counts, names: tuple[str, ...]) -> list[ClassResult]:
    """Precision, recall, F1 and support of each class; 0 where nothing was predicted, or no clip was held out."""
    hits, support, called = np.diag(matrix), matrix.sum(1), matrix.sum(0)
    f1 = _ratio(2 * hits, support + called)
    rows = zip(names, _ratio(hits, called), _ratio(hits, support), f1, support, strict=True)
    return [
        ClassResult(
            name=name, clips=int(s), precision=round(float(p), 4), recall=round(float(r), 4), f1=round(float(f), 4)
        )
        for name, p, r, f, s in rows
    ]


def chance_metrics(shares: NDArray[np.floating], top: int) -> dict[str, float]:
    """What always naming the largest class reaches.

    Args:
        shares: of each class among the judged clips.
        top: the length of a ranking, which names the largest classes.
    """
    largest, present = float(shares.max()), int((shares > 0).sum())
    values = {
        "eval_accuracy": largest,
        "eval_balanced_accuracy": 1 / present,
        "eval_f1_macro": 2 * largest / (1 + largest) / present,
    }
    return values | ({"eval_top5": float(np.sort(shares)[::-1][:top].sum())} if len(shares) > top else {})


_NAMES = ("eval_accuracy", "eval_balanced_accuracy", "eval_f1_macro")


def _values(matrices: Counts) -> NDArray[np.floating]:
    """(N, 3) metrics of N matrices, in the order of `_NAMES`."""
    hits = np.diagonal(matrices, axis1=1, axis2=2)
    support, called = matrices.sum(2), matrices.sum(1)
    total, present = matrices.sum((1, 2)), support > 0
    recall = _ratio(hits, support)
    known = present | (called > 0)
    f1 = _ratio(2 * hits, support + called)
    balanced = (recall * present).sum(1) / np.maximum(1, present.sum(1))
    return np.stack([_ratio(hits.sum(1), total), balanced, (f1 * known).sum(1) / np.maximum(1, known.sum(1))], 1)


def _ratio(part: Counts, whole: Counts) -> NDArray[np.floating]:
    return np.divide(part, whole, out=np.zeros(np.shape(part), float), where=np.asarray(whole) > 0)
