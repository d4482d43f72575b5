"""Metrics of clips with several labels: average precision and F1 of each class and over all of them."""

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jobs.families.protocol import Score
from orchestrator.domain.run_summary import ClassResult, Prediction, RunSummary
from orchestrator.domain.tasks import ProblemType

THRESHOLD = 0.5
"""A class is predicted from this score on."""
_SHOWN_SCORES = 5
"""Scores that predictions.json has of each clip, besides those of its own and of its predicted classes."""


def problem_type_of(config: Mapping[str, Any]) -> ProblemType:
    """Whether a classifier gives each class a score of its own; a config.json without the entry does not."""
    several = config.get("problem_type") == ProblemType.MULTI_LABEL
    return ProblemType.MULTI_LABEL if several else ProblemType.SINGLE_LABEL


def score_multi_label(logits: Any, labels: NDArray[Any], class_names: Sequence[str]) -> Score:
    """mAP, micro and macro F1, and the table of classes.

    mAP and macro F1 are means over the classes that a held-out clip has. For the others no recall is defined.

    Args:
        logits: (N, classes).
        labels: (N, classes), 1 for each class of a clip.
    """
    scores = sigmoid(np.asarray(logits, np.float32))
    positives, predicted = np.asarray(labels) > 0.5, scores >= THRESHOLD
    classes = [
        _class_result(name, scores[:, column], positives[:, column], predicted[:, column])
        for column, name in enumerate(class_names)
    ]
    precisions = [row.average_precision for row in classes if row.average_precision is not None]
    hits = int((positives & predicted).sum())
    values = {"eval_f1_micro": f1(hits, int(predicted.sum()), int(positives.sum()))}
    if precisions:
        values["eval_map"] = fmean(precisions)
        values["eval_f1_macro"] = fmean(row.f1 for row in classes if row.f1 is not None)
    clips = [_prediction(scores[row], positives[row], predicted[row], class_names) for row in range(positives.shape[0])]
    return Score(values, clips, RunSummary(class_names=list(class_names), classes=classes))


def average_precision(scores: NDArray[Any], positives: NDArray[np.bool_]) -> float:
    """The area under the precision-recall curve as a sum of steps: sum over thresholds of (R_n - R_n-1) * P_n.

    Equal to scikit-learn's `average_precision_score`; clips with the same score share a threshold.

    Args:
        scores: (N,), higher for clips that rather have the class.
        positives: (N,), at least one of them True.
    """
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    last_of_threshold = np.append(np.flatnonzero(np.diff(ranked)), len(ranked) - 1)
    true_positives = np.cumsum(positives[order])[last_of_threshold]
    precision, recall = true_positives / (last_of_threshold + 1), true_positives / positives.sum()
    return float(np.sum(np.diff(recall, prepend=0.0) * precision))


def f1(hits: int, predicted: int, positives: int) -> float:
    """The harmonic mean of precision and recall; 0 where nothing was predicted and nothing was to be found."""
    return 2 * hits / (predicted + positives) if predicted + positives else 0.0


def multi_label_chance_level(held_out_counts: Sequence[int], clip_count: int) -> dict[str, float]:
    """The expected metrics of scores drawn at random, evenly between 0 and 1.

    Args:
        held_out_counts: validation clips that have each class.
        clip_count: validation clips.
    """
    counts = [count for count in held_out_counts if count]
    if not counts:
        return {}
    # Half of all (clip, class) pairs are predicted: precision is the share of the class, recall one half.
    shares = [count / clip_count for count in counts]
    overall = sum(counts) / (clip_count * len(held_out_counts))
    return {
        "eval_map": fmean(random_average_precision(count, clip_count) for count in counts),
        "eval_f1_micro": overall / (overall + 0.5),
        "eval_f1_macro": fmean(share / (share + 0.5) for share in shares),
    }


def random_average_precision(positives: int, clips: int) -> float:
    """The average precision of a random order, in the mean over all orders.

    The k-th clip is a hit with probability P/N, and then each of the k-1 before it with (P-1)/(N-1); so the mean is
    (H + (P-1)/(N-1) * (N-H)) / N with the harmonic number H of N. It is above P/N where clips are few.
    """
    harmonic = sum(1 / place for place in range(1, clips + 1))
    others = (positives - 1) / (clips - 1) if clips > 1 else 0.0
    return (harmonic + others * (clips - harmonic)) / clips


def sigmoid(logits: NDArray[np.float32]) -> NDArray[Any]:
    """(N, classes) logits to a score from 0 to 1 for each class; tanh does not overflow."""
    return 0.5 * (1.0 + np.tanh(0.5 * logits))


def _class_result(
    name: str, scores: NDArray[Any], positives: NDArray[np.bool_], predicted: NDArray[np.bool_]
) -> ClassResult:
    clips, said, hits = int(positives.sum()), int(predicted.sum()), int((positives & predicted).sum())
    return ClassResult(
        name=name,
        clips=clips,
        average_precision=average_precision(scores, positives) if clips else None,
        precision=hits / said if said else None,
        recall=hits / clips if clips else None,
        f1=f1(hits, said, clips) if clips else None,
    )


def _prediction(
    scores: NDArray[Any], positives: NDArray[np.bool_], predicted: NDArray[np.bool_], class_names: Sequence[str]
) -> Prediction:
    order: list[int] = np.argsort(-scores, kind="stable").tolist()
    own = [name for name, has in zip(class_names, positives, strict=True) if has]
    chosen = [class_names[index] for index in order if predicted[index]]
    shown = dict.fromkeys([*(class_names[index] for index in order[:_SHOWN_SCORES]), *chosen, *own])
    return Prediction(
        reference=", ".join(own),
        predicted=", ".join(chosen),
        labels=own,
        predicted_labels=chosen,
        confidence=round(float(scores[order[0]]), 4),
        scores={class_names[index]: round(float(scores[index]), 4) for index in order if class_names[index] in shown},
    )
