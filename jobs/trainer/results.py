"""What the held-out clips say about a finished run: named values, each clip's prediction, some samples for the page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, assert_never

from jobs.families.captioning import SAMPLED_CLIPS, evenly_spaced
from jobs.families.protocol import Score
from jobs.runs.spec import ClipSpec
from orchestrator.domain.tasks import AnswerKind

SAMPLES = 8
"""Clips whose sentences go into the summary; predictions.json has them all."""

MISTAKES = 24
"""Clips called another class than theirs that go into the summary, the surest first."""


@dataclass(slots=True)
class EvaluationResult:
    """`summary` goes to the job's row, `predictions` into predictions.json."""

    summary: dict[str, Any] = field(default_factory=dict)
    predictions: list[dict[str, Any]] = field(default_factory=list)

    @property
    def samples(self) -> list[dict[str, Any]]:
        """The clips that stand for all."""
        return self.summary.get("samples", [])


def summarize_evaluation(
    score: Score,
    kind: AnswerKind,
    loss: float | None = None,
    clips: Sequence[ClipSpec] = (),
    baseline: Mapping[str, float] | None = None,
    before: Mapping[int, str] | None = None,
) -> EvaluationResult:
    """Sums an evaluation up.

    Args:
        kind: what the model gives for a clip; each sample says it.
        baseline: the same values of the untouched base, or of guessing.
        before: what the untouched base said, by the clip's id.
    """
    summary: dict[str, Any] = dict(score.values) | score.summary
    if loss is not None:
        summary["eval_loss"] = float(loss)
    if baseline:
        summary["baseline"] = dict(baseline)
    # Where only some clips were asked, each answer says whose it is.
    known = {clip.id: clip for clip in clips}
    told_of = [
        known.get(int(said.get("clip_id", clip.id)), clip) for said, clip in zip(score.clips, clips, strict=False)
    ]
    predictions = [
        {"clip_id": clip.id, "name": clip.name, "label": clip.label} | said
        for clip, said in zip(told_of, score.clips, strict=True)
    ]
    for row in predictions:
        if before and row["clip_id"] in before:
            row["before"] = before[row["clip_id"]]
    if mistakes := _mistakes(predictions, kind):
        summary["mistakes"] = mistakes
    if samples := _samples(predictions, kind):
        summary["samples"] = [{"kind": kind.value} | row for row in samples]
    return EvaluationResult(summary, predictions)


def _mistakes(predictions: Sequence[dict[str, Any]], kind: AnswerKind) -> list[dict[str, Any]]:
    """Clips that were called another class than theirs, the surest first."""
    if kind is not AnswerKind.CLASSES:
        return []
    wrong = [row for row in predictions if row["label"] and row.get("predicted") not in (None, row["label"])]
    return sorted(wrong, key=lambda row: -float(row.get("confidence", 0.0)))[:MISTAKES]


def _samples(predictions: Sequence[dict[str, Any]], kind: AnswerKind) -> list[dict[str, Any]]:
    """A few clips that stand for all."""
    match kind:
        case AnswerKind.CLASSES:
            return _spread([row for row in predictions if row.get("predicted") and row["label"]])[:SAMPLES]
        case AnswerKind.TEXT:
            return _distinct([row for row in predictions if "before" in row])
        case AnswerKind.CLIPS:
            return _distinct([row for row in predictions if "rank" in row])
        case _:
            assert_never(kind)


def _distinct(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows of different references: the same question twice would show the same answer twice."""
    by_reference = list({row["reference"]: row for row in evenly_spaced(rows, SAMPLED_CLIPS)}.values())
    return by_reference[:: max(1, len(by_reference) // SAMPLES)][:SAMPLES]


def _spread(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows in turns of their labels, so that every few of them show each class."""
    turns: dict[str, int] = {}
    numbered = []
    for row in rows:
        turn = turns[row["label"]] = turns.get(row["label"], 0) + 1
        numbered.append((turn, row))
    return [row for _, row in sorted(numbered, key=lambda pair: pair[0])]
