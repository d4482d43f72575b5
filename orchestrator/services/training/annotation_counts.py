"""Counts what a run has to learn from, before its launch: labels, captions and questions of its clips."""

from collections import Counter
from collections.abc import Iterable

from sqlalchemy import case, func
from sqlmodel import Session, col, select

from orchestrator.domain.annotations import AnnotationKind, Annotations
from orchestrator.domain.datasets import Clip, ClipStatus
from orchestrator.domain.families import takes_question
from orchestrator.domain.models import VideoModel
from orchestrator.domain.tasks import TASK_OF_MODEL, Annotation
from orchestrator.services.datasets.annotation_conditions import in_short_form
from orchestrator.services.datasets.curation.versions import clips_at

_WORDS = {"labels": ("label", "labels"), "captions": ("caption", "captions"), "questions": ("question", "questions")}


def count_annotations(session: Session, dataset_id: int, version: int = 0) -> dict[str, int]:
    """The labels, captions and questions (turns with an answer) of the usable clips, all of each clip.

    Args:
        version: an older version of the dataset; 0 for the newest.
    """
    if version:
        counts = _total(clip.annotated for clip in clips_at(session, dataset_id, version))
    else:
        counts = _short_forms(session, dataset_id) + _full_forms(session, dataset_id)
    return {name: counts[name] for name in _WORDS}


def annotations_advice(model: VideoModel, counts: dict[str, int], clips: int) -> list[str]:
    """How a run reads clips with several annotations: "40 captions of 2 clips: each epoch draws one for each clip"."""
    task = TASK_OF_MODEL[model.model_type]
    if task.annotation is not Annotation.CAPTION or not clips:
        return []
    read = ["captions", "questions"] if takes_question(model.family) else ["captions"]
    texts = [_count(counts[name], name) for name in read if counts[name]]
    if sum(counts[name] for name in read) <= clips:
        return []
    takes = "conversation or caption" if "questions" in read and counts["questions"] else "caption"
    validation = "all are" if AnnotationKind.CONVERSATIONS in task.takes else "each caption is"
    return [
        f"{' and '.join(texts)} of {clips:,} {'clip' if clips == 1 else 'clips'}: each epoch draws one {takes} of each "
        f"training clip; {validation} used on the validation clips."
    ]


def _count(number: int, name: str) -> str:
    one, many = _WORDS[name]
    return f"{number:,} {one if number == 1 else many}"


def _total(clips: Iterable[Annotations]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for annotations in clips:
        counts["labels"] += len(annotations.labels)
        counts["captions"] += len(annotations.captions)
        counts["questions"] += sum(len(talk.turns) for talk in annotations.conversations)
    return counts


def _short_forms(session: Session, dataset_id: int) -> Counter[str]:
    """Of the clips whose columns say everything, counted by the database."""
    written, asked = col(Clip.caption) != "", col(Clip.prompt) != ""
    statement = select(
        func.sum(case((col(Clip.label) != "", 1), else_=0)),
        func.sum(case((written & ~asked, 1), else_=0)),
        func.sum(case((written & asked, 1), else_=0)),
    ).where(Clip.dataset_id == dataset_id, Clip.status == ClipStatus.OK, in_short_form())
    return Counter({name: int(number or 0) for name, number in zip(_WORDS, session.exec(statement).one(), strict=True)})


def _full_forms(session: Session, dataset_id: int) -> Counter[str]:
    usable = select(col(Clip.annotations)).where(
        Clip.dataset_id == dataset_id, Clip.status == ClipStatus.OK, ~in_short_form()
    )
    return _total(session.exec(usable))
