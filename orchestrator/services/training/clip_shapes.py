"""The clips of a dataset by the size of their frames, the largest one, and one that is too short for a base."""

from typing import Any

from sqlalchemy import func
from sqlalchemy import select as select_columns
from sqlmodel import Session, col, select

from orchestrator.domain import formatting
from orchestrator.domain.datasets import Clip, ClipStatus
from orchestrator.domain.families import FAMILIES
from orchestrator.domain.models import VideoModel
from orchestrator.domain.recipes import Recipe
from orchestrator.domain.vision_budget import FRAMES, ClipShape
from orchestrator.services.models.rows import vision_layout
from orchestrator.services.models.vision_tokens import (
    clip_frames,
    clip_tokens,
    depends_on_clip,
    frame_size,
    least_frames,
    spreads_frames,
)
from orchestrator.services.training.recipe_limits import TEXT_TOKENS, Problem
from orchestrator.services.training.rows import ShapeGroup


def largest_clip(session: Session, dataset_id: int, model: VideoModel, recipe: Recipe) -> ClipShape | None:
    """The clip that takes the most tokens; None without clips, or where all take the same.

    Of each size of a frame the longest clip is looked at: a shorter one of the same size takes no more.
    """
    vision = vision_layout(model)
    if not vision or not depends_on_clip(model.family, recipe.data):
        return None
    rows = session.exec(
        select(Clip.width, Clip.height, func.max(Clip.frames), func.max(Clip.duration_s))
        .where(*_sized(dataset_id))
        .group_by(col(Clip.width), col(Clip.height))
    )
    shapes = [ClipShape(int(frames), float(seconds), width, height) for width, height, frames, seconds in rows]
    return max(shapes, key=lambda shape: clip_tokens(model.family, vision, recipe.data, shape), default=None)


def shape_groups(session: Session, dataset_id: int, model: VideoModel, recipe: Recipe) -> list[ShapeGroup]:
    """The clips by the size of their frames, the most frequent first, and what the base sees of them.

    It is computed from what is known of each clip, by the rules of the base's own processor; no clip is decoded. Of a
    size the shortest and the longest clip are looked at, and all of them only where the longest exceeds the context.
    """
    shortest, longest = ([function(Clip.frames), function(Clip.duration_s)] for function in (func.min, func.max))
    counted = session.execute(
        select_columns(col(Clip.width), col(Clip.height), func.count(), *shortest, *longest)
        .where(*_sized(dataset_id))
        .group_by(col(Clip.width), col(Clip.height))
        .order_by(func.count().desc(), col(Clip.width).desc(), col(Clip.height).desc())
    )
    groups: list[ShapeGroup] = []
    for width, height, clips, *of_shortest, frames, seconds in counted.all():
        short = ClipShape(int(of_shortest[0]), float(of_shortest[1]), width, height)
        long = ClipShape(int(frames), float(seconds), width, height)
        groups.append(_group(session, dataset_id, model, recipe, clips, short, long))
    return groups


def _group(
    session: Session, dataset_id: int, model: VideoModel, recipe: Recipe, clips: int, short: ClipShape, long: ClipShape
) -> ShapeGroup:
    vision, data = vision_layout(model), recipe.data
    if not vision:
        frames, edge = _encoder_clip(model, recipe)
        return ShapeGroup(long.width, long.height, clips, frames, frames, edge, edge, 0, 0, 0)
    tokens = [clip_tokens(model.family, vision, data, shape) for shape in (short, long)]
    limit = vision["context"] - TEXT_TOKENS
    over = 0
    if vision["context"] and max(tokens) > limit:
        same = (Clip.width == long.width, Clip.height == long.height)
        rows = session.exec(select(Clip.frames, Clip.duration_s).where(*_sized(dataset_id), *same))
        shapes = (ClipShape(frames, seconds, long.width, long.height) for frames, seconds in rows)
        over = sum(clip_tokens(model.family, vision, data, shape) > limit for shape in shapes)
    seen_width, seen_height = frame_size(model.family, vision, data, long)
    return ShapeGroup(
        long.width,
        long.height,
        clips,
        clip_frames(model.family, vision, data, short),
        clip_frames(model.family, vision, data, long),
        seen_width,
        seen_height,
        tokens[0],
        tokens[1],
        over,
    )


def _encoder_clip(model: VideoModel, recipe: Recipe) -> tuple[int, int]:
    """Frames of a clip, and pixels of a frame's edge, of a base without a language model."""
    rule, facts = FAMILIES[model.family].clip if model.family in FAMILIES else None, model.details or {}
    frames = recipe.data.frames or int(facts.get("frames") or (rule.frames if rule else FRAMES))
    edge = recipe.data.size or int(facts.get("image_size") or (rule.edge if rule else 0))
    return frames, edge


def _sized(dataset_id: int) -> tuple[Any, ...]:
    """The clips that can be used and whose size is known."""
    return Clip.dataset_id == dataset_id, Clip.status == ClipStatus.OK, col(Clip.width) > 0, col(Clip.height) > 0


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
