"""Refuses clips that have questions and no caption for a base that is not asked questions."""

from sqlalchemy import Text, func, type_coerce
from sqlmodel import Session, col, select

from orchestrator.domain.datasets import Clip, ClipStatus, Dataset
from orchestrator.domain.families import takes_question
from orchestrator.domain.models import VideoModel
from orchestrator.domain.tasks import TASK_OF_MODEL, Annotation
from orchestrator.services.datasets.curation.versions import clips_at
from orchestrator.services.training.recipe_limits import Problem


def question_problems(session: Session, dataset: Dataset, model: VideoModel, version: int = 0) -> list[Problem]:
    """Why a dataset with questions cannot train this base.

    Args:
        version: an older version of the dataset; 0 for the newest.
    """
    if takes_question(model.family) or TASK_OF_MODEL[model.model_type].annotation is not Annotation.CAPTION:
        return []
    count = _unread_at(session, dataset, version) if version else _unread(session, dataset)
    if not count:
        return []
    clips = "1 clip has questions" if count == 1 else f"{count:,} clips have questions"
    return [
        (
            "model_id",
            f"{clips} and no caption, and {model.name} is not asked questions: it would learn the answers as if they "
            "described the clips. Choose a video language model, or write captions.",
        )
    ]


def _unread(session: Session, dataset: Dataset) -> int:
    """Usable clips of the newest version with a question and no caption."""
    annotations = func.coalesce(type_coerce(col(Clip.annotations), Text), "")
    statement = select(func.count(col(Clip.id))).where(
        Clip.dataset_id == dataset.id,
        Clip.status == ClipStatus.OK,
        col(Clip.prompt) != "",
        # The key of the JSON object; in a text of people its quotation marks would be escaped.
        annotations.not_like('%"captions":[%'),
    )
    return session.exec(statement).one()


def _unread_at(session: Session, dataset: Dataset, version: int) -> int:
    clips = (clip.annotated for clip in clips_at(session, dataset.id or 0, version))
    return sum(1 for annotated in clips if annotated.conversations and not annotated.captions)
