"""Clips by REST: one clip with its annotations, its film and pictures, and the frames that a model gets of it."""

from functools import partial
from pathlib import Path
from typing import Annotated

from fastapi import Depends
from fastapi.responses import FileResponse
from pydantic import BaseModel, Field

from orchestrator.api.answers.datasets import SeenFrames
from orchestrator.api.authentication import CurrentUser
from orchestrator.api.documented_route import documented_router
from orchestrator.api.person_slots import run_for
from orchestrator.api.rules import Flag, one_of, rule
from orchestrator.api.schema.markers import Media
from orchestrator.api.schema.refusals import refusals
from orchestrator.api.serialization import Id, RequiredQueryId, extended
from orchestrator.domain.annotations import (
    ITEM_LIMIT,
    OPTION_LETTERS,
    QUESTION_LIMIT,
    TEXT_LIMIT,
    Conversation,
    Turn,
)
from orchestrator.domain.datasets import ClipStatus, Split
from orchestrator.domain.users import Actor
from orchestrator.services.datasets.curation import edits
from orchestrator.services.datasets.media import clips, previews
from orchestrator.services.datasets.media.frame_preview import (
    RENDERINGS,
    FramePreview,
    FrameSettings,
    PreviewPlan,
    plan_frame_preview,
    render_frame_preview,
)
from orchestrator.services.datasets.rows import ClipRow
from orchestrator.services.db import session_scope

router = documented_router(tags=["datasets"])
_MEDIA = {"Cache-Control": "private, max-age=3600", "Content-Security-Policy": "default-src 'none'; sandbox"}
_TYPES = {
    ".mp4": "video/mp4",
    ".m4v": "video/mp4",
    ".webm": "video/webm",
    ".mov": "video/quicktime",
    ".mkv": "video/x-matroska",
    ".avi": "video/x-msvideo",
    ".gif": "image/gif",
    ".ogv": "video/ogg",
    ".jpg": "image/jpeg",
}

ClipFile = Annotated[FileResponse, Media((*dict.fromkeys(_TYPES.values()), "application/octet-stream"), file=True)]


class TurnBody(BaseModel):
    """One question and its answer; with `options`, the answer is one of them."""

    question: Annotated[str, rule(minLength=1, maxLength=QUESTION_LIMIT)]
    answer: Annotated[str, rule(minLength=1, maxLength=TEXT_LIMIT)]
    options: Annotated[list[str], rule(maxItems=len(OPTION_LETTERS))] = Field(default_factory=list)


class ConversationBody(BaseModel):
    """Turns that follow each other, and the system turn before them."""

    turns: Annotated[list[TurnBody], rule(minItems=1, maxItems=ITEM_LIMIT)]
    system: Annotated[str, rule(maxLength=QUESTION_LIMIT)] = ""

    def to_domain(self) -> Conversation:
        turns = tuple(Turn(turn.question, turn.answer, tuple(turn.options)) for turn in self.turns)
        return Conversation(turns, self.system)


class ClipChange(BaseModel):
    """What is not given, or null, stays as it is.

    `label` sets the only label, `caption` the first caption or the first answer; the lists replace all of their kind.
    """

    label: str | None = None
    caption: str | None = None
    labels: Annotated[list[str], rule(maxItems=ITEM_LIMIT)] | None = None
    captions: Annotated[list[str], rule(maxItems=ITEM_LIMIT)] | None = None
    conversations: Annotated[list[ConversationBody], rule(maxItems=ITEM_LIMIT)] | None = None
    start_s: Annotated[float, rule(minimum=0)] | None = None
    """The part of the film that the clip is, in seconds."""
    end_s: Annotated[float, rule(minimum=0)] | None = None
    whole_film: Flag = False
    """Makes a part of a film the whole film again; not together with `start_s` or `end_s`."""
    split: Annotated[str, one_of(Split)] | None = None
    status: Annotated[str, one_of((ClipStatus.OK, ClipStatus.QUARANTINED))] | None = None

    def to_domain(self) -> edits.Change:
        talks = None if self.conversations is None else [talk.to_domain() for talk in self.conversations]
        return edits.Change(
            self.label,
            self.caption,
            self.split,
            self.status,
            self.labels,
            self.captions,
            talks,
            self.start_s,
            self.end_s,
            self.whole_film,
        )


@router.get("/clips/{clip_id}")
def get_clip(actor: CurrentUser, clip_id: Id) -> ClipRow:
    with session_scope() as session:
        return clips.get_clip(session, actor, clip_id)


@router.patch("/clips/{clip_id}")
def update_clip(actor: CurrentUser, clip_id: Id, body: ClipChange) -> ClipRow:
    with session_scope() as session:
        return edits.update_clip(session, actor, clip_id, body.to_domain())


def _media(actor: CurrentUser, clip_id: int, thumbnail: bool) -> ClipFile:
    with session_scope() as session:
        path = clips.clip_media(session, actor, clip_id, thumbnail)
    return _file(path)


def _file(path: Path) -> ClipFile:
    # From a fixed list: the content of an uploaded file must not decide about the type that a browser sees.
    media_type = _TYPES.get(path.suffix.lower(), "application/octet-stream")
    return FileResponse(path, media_type=media_type, headers=_MEDIA)


@router.get("/clips/{clip_id}/preview")
async def preview(actor: CurrentUser, clip_id: Id) -> ClipFile:
    """The clip, or an H.264 copy where browsers do not play its codec; supports byte ranges."""
    path, copy = await run_for(actor.user_id, _preview_source, actor, clip_id)
    if copy is not None:
        await previews.COPIES.run(actor.user_id, partial(previews.make_preview, path, copy))
    return _file(copy or path)


def _preview_source(actor: Actor, clip_id: int) -> tuple[Path, Path | None]:
    with session_scope() as session:
        path, copy = previews.preview_source(session, actor, clip_id)
    if copy is None or not copy.is_file():
        return path, copy
    return copy, None


@router.get("/clips/{clip_id}/download")
def download(
    actor: CurrentUser, clip_id: Id
) -> Annotated[FileResponse, Media(("application/octet-stream",), file=True)]:
    """The original file of the clip."""
    with session_scope() as session:
        row, path = clips.get_clip(session, actor, clip_id), clips.clip_media(session, actor, clip_id)
    name = row.name.rpartition("/")[2]
    return FileResponse(path, media_type="application/octet-stream", headers=_MEDIA, filename=name)


@router.get("/clips/{clip_id}/seen", responses=refusals(409, 507))
async def seen_frames(
    actor: CurrentUser,
    clip_id: Id,
    model_id: RequiredQueryId,
    settings: Annotated[FrameSettings, Depends()],
) -> SeenFrames:
    """The frames of the clip that a model gets with these settings, rendered by the trainer's own code; `sheet`: their
    image."""
    preview = await _frame_preview(actor, clip_id, model_id, settings)
    return extended(SeenFrames, preview, sheet=f"/api/v1/clips/{clip_id}/seen.png")


@router.get("/clips/{clip_id}/seen.png")
async def seen_sheet(
    actor: CurrentUser,
    clip_id: Id,
    model_id: RequiredQueryId,
    settings: Annotated[FrameSettings, Depends()],
) -> Annotated[FileResponse, Media(("image/png",), file=True)]:
    """The same frames as one lossless image, in rows of `columns`."""
    preview = await _frame_preview(actor, clip_id, model_id, settings)
    return FileResponse(preview.sheet, media_type="image/png", headers=_MEDIA)


async def _frame_preview(actor: Actor, clip_id: int, model_id: int, settings: FrameSettings) -> FramePreview:
    """Neither a database session nor a thread waits while frames are rendered."""
    plan = await run_for(actor.user_id, _preview_plan, actor, clip_id, model_id, settings)
    if plan.is_rendered:
        return await run_for(actor.user_id, render_frame_preview, plan)
    return await RENDERINGS.run(actor.user_id, partial(render_frame_preview, plan))


def _preview_plan(actor: Actor, clip_id: int, model_id: int, settings: FrameSettings) -> PreviewPlan:
    with session_scope() as session:
        return plan_frame_preview(session, actor, clip_id, model_id, settings)


@router.get("/clips/{clip_id}/thumbnail")
def thumbnail(actor: CurrentUser, clip_id: Id) -> Annotated[FileResponse, Media(("image/jpeg",), file=True)]:
    """Four frames side by side, 640 by 120 pixels."""
    return _media(actor, clip_id, thumbnail=True)
