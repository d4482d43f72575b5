"""The clips of a dataset that a base can hardly take: the largest one, and one that is too short."""

from sqlalchemy import func
from sqlmodel import Session, col, select

from orchestrator.domain import formatting
from orchestrator.domain.datasets import Clip, ClipStatus
from orchestrator.domain.models import VideoModel
from orchestrator.domain.recipes import Recipe
from orchestrator.domain.vision_budget import ClipShape
from orchestrator.services.models.rows import vision_layout
from orchestrator.services.models.vision_tokens import (
    clip_tokens,
    depends_on_clip,
    least_frames,
    spreads_frames,
)
from orchestrator.services.training.recipe_limits import Problem


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


def short_clip_problems(session: Session, dataset_id: int, model: VideoModel, recipe: Recipe) -> list[Problem]:
    """Whether a clip has fewer frames than the base's processor samples, which would end the run."""
    vision = vision_layout(model)
    least = least_frames(model.family, vision, recipe.data) if vision else 1
    short = select(Clip.name, Clip.frames, func.count().over()).where(
        Clip.dataset_id == dataset_id, Clip.status == ClipStatus.OK, col(Clip.frames) > 0, Clip.frames < least
    )
    found = session.exec(short.order_by(col(Clip.frames), col(Clip.id)).limit(1)).first()
    if found is None:
        return []
    name, frames, count = found
    spreads = spreads_frames(model.family, recipe.data)
    shown = f"this base is shown at least {least} of each clip"
    others = (
        f" {formatting.plural(count - 1, 'other clip')} of the dataset have too few as well."
        if count > 2
        else (" Another clip of the dataset has too few as well." if count == 2 else "")
    )
    fewer = f"Enter {frames} or fewer as Frames, or leave such clips out." if spreads else "Leave such clips out."
    text = f"{name} has {formatting.plural(frames, 'frame')}, and {shown}.{others} {fewer}"
    return [("data.frames" if spreads else "dataset_id", text)]
