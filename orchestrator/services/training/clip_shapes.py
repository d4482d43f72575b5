"""The clip of a dataset that takes the most of a base's context, where what a clip takes depends on the clip."""

from sqlalchemy import func
from sqlmodel import Session, col, select

from orchestrator.domain.datasets import Clip, ClipStatus
from orchestrator.domain.models import VideoModel
from orchestrator.domain.recipes import Recipe
from orchestrator.domain.vision_budget import ClipShape
from orchestrator.services.models.rows import vision_layout
from orchestrator.services.models.vision_tokens import clip_tokens, depends_on_clip


def largest_clip(session: Session, dataset_id: int, model: VideoModel, recipe: Recipe) -> ClipShape | None:
    """The clip that takes the most tokens; None without clips, or where all take the same.

    Of each size of a frame the longest clip is looked at: a shorter one of the same size takes no more.
    """
    vision = vision_layout(model)
    if not vision or not depends_on_clip(model.family, recipe.data):
        return None
    rows = session.exec(
        select(Clip.width, Clip.height, func.max(Clip.frames), func.max(Clip.duration_s))
        .where(Clip.dataset_id == dataset_id, Clip.status == ClipStatus.OK, col(Clip.width) > 0, col(Clip.height) > 0)
        .group_by(col(Clip.width), col(Clip.height))
    )
    shapes = [ClipShape(int(frames), float(seconds), width, height) for width, height, frames, seconds in rows]
    return max(shapes, key=lambda shape: clip_tokens(model.family, vision, recipe.data, shape), default=None)
