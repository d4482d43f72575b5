"""What the held-out clips say about a finished run: accuracy, confusion matrix, each clip's prediction."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from jobs.families.protocol import Score
from jobs.spec import ClipSpec

_MATRIX = 100
"""Classes up to which the confusion matrix goes into the summary."""


@dataclass(slots=True)
class Outcome:
    """`summary` goes to the job's row, `predictions` into predictions.json."""

    summary: dict[str, Any] = field(default_factory=dict)
    predictions: list[dict[str, Any]] = field(default_factory=list)


def judge(score: Score, loss: float | None, clips: Sequence[ClipSpec], class_names: Sequence[str]) -> Outcome:
    """Sums an evaluation up; rows of the matrix are true classes, columns predicted ones."""
    summary: dict[str, Any] = dict(score.values)
    if loss is not None:
        summary["eval_loss"] = float(loss)
    if score.predicted is None or score.confidence is None:
        return Outcome(summary)
    index = {name: i for i, name in enumerate(class_names)}
    matrix = np.zeros((len(class_names), len(class_names)), int)
    predictions: list[dict[str, Any]] = []
    for clip, predicted, sure in zip(clips, score.predicted.tolist(), score.confidence.tolist(), strict=True):
        matrix[index[clip.label], predicted] += 1
        predictions.append(
            {
                "clip_id": clip.id,
                "name": clip.name,
                "label": clip.label,
                "predicted": class_names[predicted],
                "confidence": round(sure, 4),
            }
        )
    if len(class_names) <= _MATRIX:
        summary |= {"confusion_matrix": matrix.tolist(), "class_names": list(class_names)}
    return Outcome(summary, predictions)
