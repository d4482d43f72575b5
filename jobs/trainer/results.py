"""The result of an evaluation: metrics, the prediction for each clip, samples for the job's page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import assert_never

from jobs.families.captioning import SAMPLED_CLIPS, chosen_of_clip, evenly_spaced
from jobs.families.protocol import Score
from jobs.runs.clip_spec import ClipSpec
from orchestrator.domain.run_summary import Prediction, RunSummary
from orchestrator.domain.tasks import AnswerKind

QuestionKey = tuple[int | None, int]
"""A clip's id and the number of a question about it: `Prediction.key`."""
SAMPLES = 8
"""Clips whose sentences go into the summary; predictions.json has them all."""

MISTAKES = 24
"""Misclassified clips that go into the summary, the highest confidence first."""


@dataclass(slots=True)
class EvaluationResult:
    """`summary` goes to the job's row, `predictions` into predictions.json."""

    summary: RunSummary = field(default_factory=RunSummary)
    predictions: list[Prediction] = field(default_factory=list)

    @property
    def samples(self) -> list[Prediction]:
        """Some clips that represent all."""
        return self.summary.samples


def summarize_evaluation(
    score: Score,
    kind: AnswerKind,
    loss: float | None = None,
    clips: Sequence[ClipSpec] = (),
    baseline: Mapping[str, float] | None = None,
    before: Mapping[QuestionKey, str] | None = None,
) -> EvaluationResult:
    """The summary of an evaluation.

    Args:
        kind: what the model answers for a clip; part of each sample.
        baseline: the same metrics of the untouched base, or of chance.
        before: the answers of the untouched base, by the clip and the number of its question.
    """
    summary = RunSummary.of_values(score.values).merged(score.summary)
    if loss is not None:
        summary = summary.merged(RunSummary.of_values({"eval_loss": float(loss)}))
    if baseline:
        summary = summary.merged(RunSummary(baseline=dict(baseline)))
    # Where only some clips were evaluated, each answer has its clip's id.
    known: dict[int | None, ClipSpec] = {clip.id: clip for clip in clips}
    in_turn = [*clips, *[None] * max(0, len(score.clips) - len(clips))]
    evaluated = [(row, known.get(row.clip_id, clip)) for row, clip in zip(score.clips, in_turn, strict=False)]
    predictions = [_of_clip(row, clip, before or {}) for row, clip in evaluated if clip is not None]
    if mistakes := _mistakes(predictions, kind):
        summary = summary.merged(RunSummary(mistakes=mistakes))
    if samples := _samples(predictions, kind):
        summary = summary.merged(RunSummary(samples=[Prediction(kind=kind).merged(row) for row in samples]))
    return EvaluationResult(summary, predictions)


def _of_clip(row: Prediction, clip: ClipSpec, before: Mapping[QuestionKey, str]) -> Prediction:
    """The answer with its clip's name and label, and the answer of the untouched base."""
    found = Prediction(clip_id=clip.id, name=clip.name, label=clip.label).merged(row)
    return found.merged(Prediction(before=before[found.key])) if found.key in before else found


def _mistakes(predictions: Sequence[Prediction], kind: AnswerKind) -> list[Prediction]:
    """Misclassified clips, the highest confidence first."""
    if kind is not AnswerKind.CLASSES:
        return []
    wrong = [row for row in predictions if row.label and row.predicted is not None and not row.is_right]
    return sorted(wrong, key=lambda row: -(row.confidence or 0.0))[:MISTAKES]


def _samples(predictions: Sequence[Prediction], kind: AnswerKind) -> list[Prediction]:
    """A few clips that represent all."""
    match kind:
        case AnswerKind.CLASSES:
            return _spread([row for row in predictions if row.predicted is not None and row.label])[:SAMPLES]
        case AnswerKind.TEXT:
            known = [row for row in predictions if row.before is not None]
            return _distinct(known or [row for row in predictions if row.predicted is not None])
        case AnswerKind.CLIPS:
            return _distinct([row for row in predictions if row.rank is not None])
        case _:
            assert_never(kind)


def _distinct(rows: Sequence[Prediction]) -> list[Prediction]:
    """Rows of different questions or references: the same twice would show the same answer twice."""
    chosen = _one_question_each(rows)
    by_reference = list({(row.question, row.reference): row for row in chosen}.values())
    return by_reference[:: max(1, len(by_reference) // SAMPLES)][:SAMPLES]


def _one_question_each(rows: Sequence[Prediction]) -> list[Prediction]:
    """A row of each of some clips: those that an evaluation during the run has, where `rows` may be of the last one."""
    of_clip: dict[int | None, list[Prediction]] = {}
    for row in rows:
        of_clip.setdefault(row.clip_id, []).append(row)
    groups = evenly_spaced(list(of_clip.values()), SAMPLED_CLIPS)
    return [chosen_of_clip(group, place) for place, group in enumerate(groups)]


def _spread(rows: Sequence[Prediction]) -> list[Prediction]:
    """The rows in turns of their labels, so that every few of them show each class."""
    turns: dict[str, int] = {}
    numbered = []
    for row in rows:
        turn = turns[row.label] = turns.get(row.label, 0) + 1
        numbered.append((turn, row))
    return [row for _, row in sorted(numbered, key=lambda pair: pair[0])]
