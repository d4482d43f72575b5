"""The samples of a run: validation clips with what the model made of each, written by the trainer, read by the page.

Every sample has kind, clip_id and name, and once it is stored `trail`, [[epoch, answer], ...]; then by kind:
classes: label, predicted, confidence; text: reference, predicted, before (what the untouched base said);
clips: reference (the sentence asked), predicted, rank (of the right clip), top ([{clip_id, score, right}, ...]).
"""

from collections.abc import Mapping
from typing import Any, assert_never

from orchestrator.domain.tasks import AnswerKind, task_spec


def sample_kind(sample: Mapping[str, Any], task: Any) -> AnswerKind:
    """What the model gave for the clip; samples that were stored before they said so are of their run's `task`."""
    return AnswerKind(sample["kind"]) if sample.get("kind") else task_spec(task).answer


def sample_answer(sample: Mapping[str, Any], kind: AnswerKind) -> Any:
    """What the trail of a clip keeps of an evaluation: the class or sentence, or at which place the clip was found."""
    match kind:
        case AnswerKind.CLASSES | AnswerKind.TEXT:
            return sample.get("predicted", "")
        case AnswerKind.CLIPS:
            return sample["rank"]
        case _:
            assert_never(kind)
