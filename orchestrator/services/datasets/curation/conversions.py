"""Converts the annotations of clips into a kind that the task takes. Each conversion is one edit, which can be undone.

No task reads another kind in place of its own: a clip with labels has a caption only after a conversion.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial

from sqlmodel import Session, col, select

from orchestrator.domain.annotations import CAPTION_QUESTION, Annotations, Conversation, Turn, annotation_problem
from orchestrator.domain.datasets import Clip, ClipStatus
from orchestrator.domain.errors import Invalid
from orchestrator.domain.tasks import TASKS, Task
from orchestrator.domain.users import Actor
from orchestrator.services.datasets.curation.examined_clips import ExaminedClip
from orchestrator.services.datasets.curation.new_version import Edits, clips_with_ids, editable, write_version
from orchestrator.services.datasets.curation.versions import EditRow, count_clips

EXAMPLES = 3
"""Clips that are shown before a conversion."""


class Conversion(StrEnum):
    """A way to convert annotations; the value is its name in REST."""

    FIRST_LABEL = "first_label"
    LABELS_TO_CAPTIONS = "labels_to_captions"
    ANSWERS_TO_CAPTIONS = "answers_to_captions"
    CAPTIONS_TO_QUESTIONS = "captions_to_questions"
    FIRST_CAPTION = "first_caption"


@dataclass(frozen=True, slots=True)
class ConversionSpec:
    """What a conversion does.

    Attributes:
        title: on its button.
        done: for the list of versions.
        convert: the annotations after it; the same ones where it does not apply. Takes the question, too.
    """

    title: str
    done: str
    convert: Callable[[Annotations, str], Annotations]


def _first_label(annotations: Annotations, _: str) -> Annotations:
    return replace(annotations, labels=annotations.labels[:1])


def _labels_to_captions(annotations: Annotations, _: str) -> Annotations:
    text = ", ".join(annotations.labels)
    known = not text or text in annotations.captions
    return annotations if known else replace(annotations, captions=(*annotations.captions, text))


def _answers_to_captions(annotations: Annotations, _: str) -> Annotations:
    return replace(annotations, captions=annotations.texts, conversations=())


def _captions_to_questions(annotations: Annotations, question: str) -> Annotations:
    talks = tuple(Conversation((Turn(question, caption),)) for caption in annotations.captions)
    return replace(annotations, captions=(), conversations=annotations.conversations + talks)


def _first_caption(annotations: Annotations, _: str) -> Annotations:
    return replace(annotations, captions=annotations.captions[:1])


CONVERSIONS: Mapping[Conversion, ConversionSpec] = {
    Conversion.FIRST_LABEL: ConversionSpec("Keep the first label", "the first label only", _first_label),
    Conversion.LABELS_TO_CAPTIONS: ConversionSpec("Use labels as captions", "labels as captions", _labels_to_captions),
    Conversion.ANSWERS_TO_CAPTIONS: ConversionSpec(
        "Use answers as captions", "answers as captions", _answers_to_captions
    ),
    Conversion.CAPTIONS_TO_QUESTIONS: ConversionSpec(
        "Ask a question for each caption", "captions as answers", _captions_to_questions
    ),
    Conversion.FIRST_CAPTION: ConversionSpec("Keep the first caption", "the first caption only", _first_caption),
}


def helpful_conversions(task: Task, clips: Sequence[ExaminedClip]) -> list[Conversion]:
    """The conversions that make at least one of these clips usable for a task."""
    can_use = TASKS[task].can_use
    found = {clip.annotated for clip in clips if not can_use(clip.annotated)}
    return [
        key
        for key, spec in CONVERSIONS.items()
        if any(can_use(spec.convert(annotations, CAPTION_QUESTION)) for annotations in found)
    ]


@dataclass(frozen=True, slots=True)
class Applicable:
    """A conversion that would change clips of a dataset.

    Attributes:
        clips: how many it would change.
        usable: how many of these the task can use after it.
        examples: (file name, annotations) of the first of them, as they are now.
    """

    conversion: Conversion
    clips: int
    usable: int
    examples: tuple[tuple[str, Annotations], ...]


def applicable_conversions(
    session: Session, actor: Actor, dataset_id: int, clip_ids: Sequence[int] | None = None
) -> list[Applicable]:
    """The conversions that would change any of these clips, for showing them before one is chosen.

    Args:
        clip_ids: None for all clips that are not damaged.

    Raises:
        Conflict: the dataset cannot be edited. NotFound.
    """
    dataset = editable(session, actor, dataset_id)
    clips, can_use = _clips(session, dataset_id, clip_ids), TASKS[dataset.task].can_use
    found: list[Applicable] = []
    for key, spec in CONVERSIONS.items():
        pairs = [(clip, spec.convert(clip.annotated, CAPTION_QUESTION)) for clip in clips]
        changed = [(clip, after) for clip, after in pairs if after != clip.annotated]
        if changed:
            usable = sum(can_use(after) for _, after in changed)
            examples = tuple((clip.name.rpartition("/")[2], clip.annotated) for clip, _ in changed[:EXAMPLES])
            found.append(Applicable(key, len(changed), usable, examples))
    return found


def convert_annotations(
    session: Session,
    actor: Actor,
    dataset_id: int,
    conversion: str,
    clip_ids: Sequence[int] | None = None,
    question: str = CAPTION_QUESTION,
) -> EditRow | None:
    """Converts the annotations of these clips; clips to which the conversion does not apply stay as they are.

    Args:
        clip_ids: None for all clips that are not damaged.
        question: what the captions answer, for CAPTIONS_TO_QUESTIONS.

    Returns:
        The edit; None when it changes nothing.

    Raises:
        Invalid: field `conversion`: it is unknown; `question`: it is empty; or the field of annotations that would be
        too long or too many; nothing is changed. Conflict: the dataset cannot be edited, or too few clips would be
        left. NotFound.
    """
    dataset = editable(session, actor, dataset_id)
    if conversion not in list(Conversion):
        raise Invalid(f"Choose from: {', '.join(Conversion)}.", "conversion")
    spec = CONVERSIONS[Conversion(conversion)]
    if conversion == Conversion.CAPTIONS_TO_QUESTIONS and not question.strip():
        raise Invalid("Enter the question that the captions answer.", "question")
    edits: Edits = []
    for clip in _clips(session, dataset_id, clip_ids):
        after = spec.convert(clip.annotated, question.strip())
        if after == clip.annotated:
            continue
        if problem := annotation_problem(after):
            raise Invalid(f"{clip.name.rpartition('/')[2]}: {problem[1]}", problem[0])
        edits.append((clip, partial(Clip.annotate, annotations=after)))
    return write_version(session, actor, dataset, edits, f"{count_clips(len(edits))}: {spec.done}")


def _clips(session: Session, dataset_id: int, clip_ids: Sequence[int] | None) -> Sequence[Clip]:
    if clip_ids is not None:
        return clips_with_ids(session, dataset_id, clip_ids)
    intact = select(Clip).where(Clip.dataset_id == dataset_id, Clip.status != ClipStatus.BAD)
    return session.exec(intact.order_by(col(Clip.id))).all()
