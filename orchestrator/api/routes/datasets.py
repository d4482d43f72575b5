"""Datasets by REST: list, create, change, delete, import uploads; their clips with media, and a report."""

from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

from fastapi.responses import FileResponse, StreamingResponse
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from orchestrator.api.authentication import CurrentUser
from orchestrator.api.checked_route import checked_router, expensive
from orchestrator.api.serialization import BodyId, BodyIdOr0, Id, RequiredQueryId, page_json, to_json
from orchestrator.domain.tasks import DEFAULT_TASK
from orchestrator.domain.users import Actor
from orchestrator.services.datasets import catalog
from orchestrator.services.datasets.curation import doctor, edits, versions
from orchestrator.services.datasets.export import plan_export, stream
from orchestrator.services.datasets.ingest import sources, uploads
from orchestrator.services.datasets.ingest.reinterpret import request_reinterpretation
from orchestrator.services.datasets.ingest.review import accept_layout
from orchestrator.services.datasets.media import clips, previews
from orchestrator.services.datasets.media.frame_preview import (
    RENDERINGS,
    FramePreview,
    FrameSettings,
    PreviewPlan,
    plan_frame_preview,
    render_frame_preview,
)
from orchestrator.services.datasets.rows import DatasetRow
from orchestrator.services.datasets.statistics import clip_statistics
from orchestrator.services.db import session_scope

router = checked_router(tags=["datasets"])
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


class NewDataset(BaseModel):
    name: str
    description: str = ""
    task: str = DEFAULT_TASK.value
    source: dict[str, Any] = Field(default_factory=lambda: {"type": "upload"})


class DatasetChange(BaseModel):
    name: str | None = None
    description: str | None = None


class IngestWish(BaseModel):
    """`review`: only detects the layout of the files; POST /accept imports them."""

    review: bool = False


class Wish(BaseModel):
    source: dict[str, Any] | None = None
    credential_id: BodyIdOr0 = 0


class ReadingWish(BaseModel):
    layout: str = ""
    columns: dict[str, str] = Field(default_factory=dict)
    level: int = 1
    ignore_splits: bool = False
    by_hand: bool = False


class SplitWish(BaseModel):
    share: float = 0.2
    seed: int = 42


class ClipChange(BaseModel):
    label: str | None = None
    caption: str | None = None
    split: str | None = None
    status: str | None = None


class ClipsChange(ClipChange):
    clip_ids: list[BodyId]


def _dataset_json(row: DatasetRow) -> dict[str, Any]:
    """A draft has the status `processing` in REST, and `awaiting_files` tells the two apart."""
    draft = row.status == "draft"
    return to_json(row, status="processing" if draft else row.status, awaiting_files=draft)


@router.get("/datasets")
def list_datasets(
    actor: CurrentUser,
    q: str = "",
    status: str = "",
    task: str = "",
    sort: str = "-created_at",
    limit: int = 50,
    cursor: str | None = None,
) -> dict[str, Any]:
    statuses = [word.strip() for word in status.split(",")]
    status = f"{status},draft" if "processing" in statuses else status
    with session_scope() as session:
        rows = catalog.list_datasets(session, actor, q, status, task, sort, limit, cursor)
    return {"items": [_dataset_json(row) for row in rows.items], "next": rows.next, "total": rows.total}


@router.post("/datasets", status_code=201)
def create_dataset(actor: CurrentUser, body: NewDataset) -> dict[str, Any]:
    with session_scope() as session:
        return _dataset_json(sources.add_dataset(session, actor, body.name, body.description, body.task, body.source))


@router.get("/datasets/{dataset_id}")
def get_dataset(actor: CurrentUser, dataset_id: Id) -> dict[str, Any]:
    with session_scope() as session:
        return _dataset_json(catalog.get_dataset(session, actor, dataset_id))


@router.patch("/datasets/{dataset_id}")
def update_dataset(actor: CurrentUser, dataset_id: Id, body: DatasetChange) -> dict[str, Any]:
    with session_scope() as session:
        return _dataset_json(catalog.update_dataset(session, actor, dataset_id, body.name, body.description))


@router.delete("/datasets/{dataset_id}", status_code=204)
def delete_dataset(actor: CurrentUser, dataset_id: Id) -> None:
    with session_scope() as session:
        catalog.delete_dataset(session, actor, dataset_id)


@router.post("/datasets/{dataset_id}/ingest", status_code=202)
def ingest(actor: CurrentUser, dataset_id: Id, body: IngestWish | None = None) -> dict[str, Any]:
    """Imports the uploads; with `review` it only reports how they would be read (`layout.preview`)."""
    with session_scope() as session:
        return _dataset_json(uploads.request_ingest(session, actor, dataset_id, bool(body and body.review)))


@router.post("/datasets/{dataset_id}/accept", status_code=202)
def accept(actor: CurrentUser, dataset_id: Id) -> dict[str, Any]:
    """Accepts the detected layout of a dataset whose `stage` is `review`: its files are imported."""
    with session_scope() as session:
        return _dataset_json(accept_layout(session, actor, dataset_id))


@router.post("/datasets/{dataset_id}/fetch", status_code=202)
def fetch(actor: CurrentUser, dataset_id: Id, body: Wish | None = None) -> dict[str, Any]:
    """Downloads more clips from `source`; without one, repeats a download that failed, with the Hub token
    `credential_id`."""
    with session_scope() as session:
        request = body or Wish()
        return _dataset_json(sources.request_fetch(session, actor, dataset_id, request.source, request.credential_id))


@router.post("/datasets/{dataset_id}/read", status_code=202)
def read_again(actor: CurrentUser, dataset_id: Id, body: ReadingWish) -> dict[str, Any]:
    """Reads the files again with another layout, without a new upload; the dataset's `layout` holds what was detected,
    and the columns and folders to choose from."""
    with session_scope() as session:
        return _dataset_json(request_reinterpretation(session, actor, dataset_id, body.model_dump()))


@router.post("/datasets/{dataset_id}/cancel", status_code=202)
def cancel(actor: CurrentUser, dataset_id: Id) -> dict[str, Any]:
    """Cancels a download or an import; nothing of it is kept."""
    with session_scope() as session:
        return _dataset_json(sources.cancel_import(session, actor, dataset_id))


@router.get("/datasets/{dataset_id}/clips")
def list_clips(
    actor: CurrentUser,
    dataset_id: Id,
    label: str = "",
    status: str = "",
    split: str = "",
    q: str = "",
    limit: int = 50,
    cursor: str | None = None,
) -> dict[str, Any]:
    with session_scope() as session:
        return page_json(catalog.list_clips(session, actor, dataset_id, label, status, limit, cursor, split, q))


@router.patch("/datasets/{dataset_id}/clips")
def update_clips(actor: CurrentUser, dataset_id: Id, body: ClipsChange) -> dict[str, Any]:
    """Makes the same change to many clips; `edit` can be undone."""
    change = edits.Change(body.label, body.caption, body.split, body.status)
    with session_scope() as session:
        return _edit_json(edits.edit_clips(session, actor, dataset_id, body.clip_ids, change))


@router.post("/datasets/{dataset_id}/splits")
def split(actor: CurrentUser, dataset_id: Id, body: SplitWish | None = None) -> dict[str, Any]:
    """Assigns `share` of each class to validation, the same clips for the same `seed`; `edit` can be undone."""
    request = body or SplitWish()
    with session_scope() as session:
        return _edit_json(edits.assign_splits(session, actor, dataset_id, request.share, request.seed))


@router.get("/datasets/{dataset_id}/edits")
def list_edits(actor: CurrentUser, dataset_id: Id, limit: int = 50, cursor: str | None = None) -> dict[str, Any]:
    """The edits of the dataset, each of which made a version; newest first."""
    with session_scope() as session:
        return page_json(versions.list_edits(session, actor, dataset_id, limit, cursor))


@router.post("/datasets/{dataset_id}/edits/{edit_id}/undo")
def undo(actor: CurrentUser, dataset_id: Id, edit_id: Id) -> dict[str, Any]:
    with session_scope() as session:
        return _edit_json(edits.undo_edit(session, actor, dataset_id, edit_id))


@router.post("/datasets/{dataset_id}/findings/{kind}/{action}")
def treat(actor: CurrentUser, dataset_id: Id, kind: str, action: str) -> dict[str, Any]:
    """Runs an action that a finding of the report offers: quarantine, train, delete, split, transcode, even, single or
    mend."""
    with session_scope() as session:
        return _edit_json(doctor.apply_action(session, actor, dataset_id, kind, action))


def _edit_json(row: versions.EditRow | None) -> dict[str, Any]:
    return {"edit": to_json(row) if row else None}


@router.get("/datasets/{dataset_id}/report")
@expensive
def report(actor: CurrentUser, dataset_id: Id) -> dict[str, Any]:
    """Statistics and findings of the dataset, and the clips that were left out with their reasons."""
    with session_scope() as session:
        row = catalog.get_dataset(session, actor, dataset_id)
        statistics = clip_statistics(session, actor, dataset_id)
        health = doctor.examine(session, actor, dataset_id)
        bad = catalog.list_clips(session, actor, dataset_id, status="bad", limit=200)
    left_out = [{"clip_id": str(clip.id), "name": clip.name, "problem": clip.problem} for clip in bad.items]
    findings = [
        {
            "kind": finding.kind,
            "severity": finding.severity,
            "title": finding.title,
            "detail": finding.detail,
            "count": len(finding.clip_ids),
            "clip_ids": [str(clip_id) for clip_id in finding.clip_ids[:200]],
            "actions": [key for key, _ in finding.actions],
        }
        for finding in health.findings
    ]
    classes = [{"label": label, "clips": number} for label, number in statistics.classes]
    return {
        "clip_count": row.clip_count,
        "bad_count": row.bad_count,
        "total_s": statistics.total_s,
        "median_s": statistics.median_s,
        "shortest_s": statistics.shortest_s,
        "longest_s": statistics.longest_s,
        "classes": classes,
        "frame_sizes": [{"width": w, "height": h, "clips": number} for w, h, number in statistics.frame_sizes],
        "splits": statistics.splits,
        "caption_words": to_json(statistics.captions) if statistics.captions else None,
        "findings": findings,
        "passed": health.passed,
        "left_out": left_out,
    }


@router.get("/datasets/{dataset_id}/export")
@expensive
def export(actor: CurrentUser, dataset_id: Id, format: str = "videofolder") -> StreamingResponse:
    """A zip of the clips with their labels and captions, in the format videofolder or sharegpt."""
    with session_scope() as session:
        plan = plan_export(session, actor, dataset_id, format)
    name = quote(plan.filename)
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{name}"}
    return StreamingResponse(stream(plan), media_type="application/zip", headers=headers)


@router.get("/clips/{clip_id}")
def get_clip(actor: CurrentUser, clip_id: Id) -> dict[str, Any]:
    with session_scope() as session:
        return to_json(clips.get_clip(session, actor, clip_id))


@router.patch("/clips/{clip_id}")
def update_clip(actor: CurrentUser, clip_id: Id, body: ClipChange) -> dict[str, Any]:
    with session_scope() as session:
        return to_json(edits.update_clip(session, actor, clip_id, body.label, body.caption, body.split, body.status))


def _media(actor: CurrentUser, clip_id: int, thumbnail: bool) -> FileResponse:
    with session_scope() as session:
        path = clips.clip_media(session, actor, clip_id, thumbnail)
    return _file(path)


def _file(path: Path) -> FileResponse:
    # From a fixed list: the content of an uploaded file must not decide about the type that a browser sees.
    media_type = _TYPES.get(path.suffix.lower(), "application/octet-stream")
    return FileResponse(path, media_type=media_type, headers=_MEDIA)


@router.get("/clips/{clip_id}/preview")
async def preview(actor: CurrentUser, clip_id: Id) -> FileResponse:
    """The clip, or an H.264 copy where browsers do not play its codec; supports byte ranges."""
    path, copy = await run_in_threadpool(_preview_source, actor, clip_id)
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
def download(actor: CurrentUser, clip_id: Id) -> FileResponse:
    """The original file of the clip."""
    with session_scope() as session:
        row, path = clips.get_clip(session, actor, clip_id), clips.clip_media(session, actor, clip_id)
    name = row.name.rpartition("/")[2]
    return FileResponse(path, media_type="application/octet-stream", headers=_MEDIA, filename=name)


@router.get("/clips/{clip_id}/seen")
async def seen_frames(
    actor: CurrentUser,
    clip_id: Id,
    model_id: RequiredQueryId,
    frames: int | None = None,
    size: int | None = None,
    fps: float | None = None,
) -> dict[str, Any]:
    """The frames of the clip that a model gets with these settings, rendered by the trainer's own code; `sheet`: their
    image."""
    preview = await _frame_preview(actor, clip_id, model_id, FrameSettings(frames, size, fps))
    return to_json(preview, sheet=f"/api/v1/clips/{clip_id}/seen.png")


@router.get("/clips/{clip_id}/seen.png")
async def seen_sheet(
    actor: CurrentUser,
    clip_id: Id,
    model_id: RequiredQueryId,
    frames: int | None = None,
    size: int | None = None,
    fps: float | None = None,
) -> FileResponse:
    """The same frames as one lossless image, in rows of `columns`."""
    preview = await _frame_preview(actor, clip_id, model_id, FrameSettings(frames, size, fps))
    return FileResponse(preview.sheet, media_type="image/png", headers=_MEDIA)


async def _frame_preview(actor: Actor, clip_id: int, model_id: int, settings: FrameSettings) -> FramePreview:
    """Neither a database session nor a thread waits while frames are rendered."""
    plan = await run_in_threadpool(_preview_plan, actor, clip_id, model_id, settings)
    if plan.is_rendered:
        return await run_in_threadpool(render_frame_preview, plan)
    return await RENDERINGS.run(actor.user_id, partial(render_frame_preview, plan))


def _preview_plan(actor: Actor, clip_id: int, model_id: int, settings: FrameSettings) -> PreviewPlan:
    with session_scope() as session:
        return plan_frame_preview(session, actor, clip_id, model_id, settings)


@router.get("/clips/{clip_id}/thumbnail")
def thumbnail(actor: CurrentUser, clip_id: Id) -> FileResponse:
    """Four frames side by side, 640 by 120 pixels."""
    return _media(actor, clip_id, thumbnail=True)
