"""Previews of the frames that a model gets of a clip: rendered by the trainer's own code in a sandbox, and cached."""

import hashlib
import json
import os
import secrets
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from sqlmodel import Session

from orchestrator.domain.clip_facts import READER_VERSION
from orchestrator.domain.errors import Conflict, Invalid
from orchestrator.domain.models import ModelStatus
from orchestrator.domain.recipe_data import FrameShape
from orchestrator.domain.users import Actor
from orchestrator.domain.vision_budget import FRAME_TOKENS, MAX_FRAMES
from orchestrator.services import sandbox
from orchestrator.services.access import owned_clip, owned_dataset, visible_model
from orchestrator.services.datasets.files import dataset_folder
from orchestrator.services.datasets.media.clips import clip_media
from orchestrator.services.fair_queue import FairQueue
from orchestrator.services.sandbox import Tool

MAX_PIXELS = 48_000_000
_TOKEN_PIXELS = 32 * 32
"""Of a frame, that one token stands for at most."""
_MAX_CACHED = 200
RENDERINGS = FairQueue("Other previews are being rendered", at_once=1, per_person=6)


@dataclass(frozen=True, slots=True)
class FrameSettings:
    """As `data` of a recipe; None: what the model was made for."""

    frames: int | None = None
    size: int | None = None
    fps: float | None = None
    min_frames: int | None = None
    max_frames: int | None = None
    frame_tokens: int | None = None
    frame_shape: FrameShape = FrameShape.KEPT


_FIELDS = {f"data.{field.name}": field.name for field in fields(FrameSettings)} | {"model_id": "model"}
"""Fields of a recipe -> the parameters of a preview."""


@dataclass(frozen=True, slots=True)
class FramePreview:
    """The frames that a model gets, by index and time in seconds.

    Attributes:
        columns: frames in a row of the sheet, each `width` x `height` pixels.
        sheet: the PNG file with all frames.
    """

    indices: list[int]
    times: list[float]
    columns: int
    width: int
    height: int
    frames: int
    """Frames of the clip."""
    duration_s: float
    sheet: Path


@dataclass(frozen=True, slots=True)
class PreviewPlan:
    """Everything that `render_frame_preview` needs, so that it runs without a database session."""

    request: dict[str, Any]
    sheet: Path
    facts: Path
    frames: int
    duration_s: float

    @property
    def is_rendered(self) -> bool:
        return self.sheet.is_file() and self.facts.is_file()


def plan_frame_preview(
    session: Session, actor: Actor, clip_id: int, model_id: int, settings: FrameSettings
) -> PreviewPlan:
    """Checks a request for exactly the frames and pixels that a job with these settings trains on.

    Raises:
        Invalid: the settings do not fit the model. Conflict: the model is not ready. NotFound.
    """
    clip, path = owned_clip(session, actor, clip_id), clip_media(session, actor, clip_id)
    model, task = visible_model(session, actor, model_id), owned_dataset(session, actor, clip.dataset_id).task
    if model.status is not ModelStatus.READY:
        raise Conflict("This model is not ready. Choose another.", "model")
    sentence = "Choose 1 to 256 frames, a frame size of 16 to 1,024 pixels, and at most 240 frames a second."
    for name, value, low, high in _limits(settings):
        if value is not None and not low <= value <= high:
            raise Invalid(sentence, name)
    if (settings.frames or 0) * (settings.size or 0) ** 2 > MAX_PIXELS:
        raise Invalid("That is too much to render at once. Choose fewer frames or a smaller frame size.", "frames")
    if settings.max_frames or settings.frame_tokens:
        most = settings.frames or settings.max_frames or MAX_FRAMES
        if most * (settings.frame_tokens or FRAME_TOKENS) * _TOKEN_PIXELS > MAX_PIXELS:
            raise Invalid("That is too much to render at once. Choose fewer frames or fewer tokens.", "frame_tokens")
    span = [clip.start_s, clip.end_s] if clip.span else None
    key = json.dumps([READER_VERSION, clip.content_hash, span, model.path, model.revision, str(task), asdict(settings)])
    stem = hashlib.sha256(key.encode()).hexdigest()[:24]
    folder = dataset_folder(clip.dataset_id) / "seen"
    sheet, facts = folder / f"{stem}.png", folder / f"{stem}.json"
    request = {"clip": str(path), "name": path.name if not clip.name else clip.name.rpartition("/")[2]}
    request |= {"model": model.path, "task": str(task), "data": asdict(settings), "span": span}
    return PreviewPlan(request, sheet, facts, clip.frames, clip.duration_s)


def render_frame_preview(plan: PreviewPlan) -> FramePreview:
    """Renders the frames, once for each request. In the web, call it in `RENDERINGS`.

    Raises:
        Invalid: the clip cannot be decoded, or the model takes no such frames.
    """
    if not plan.is_rendered:
        _render(plan.request, plan.sheet, plan.facts)
    answer: dict[str, Any] = json.loads(plan.facts.read_text())
    return FramePreview(**answer, frames=plan.frames, duration_s=plan.duration_s, sheet=plan.sheet)


def _limits(settings: FrameSettings) -> list[tuple[str, float | None, float, float]]:
    return [("frames", settings.frames, 1, 256), ("size", settings.size, 16, 1_024), ("fps", settings.fps, 0.01, 240)]


def _render(request: dict[str, Any], sheet: Path, facts: Path) -> None:
    part = sheet.with_name(f"{sheet.stem}.{secrets.token_hex(4)}.part")
    try:
        sheet.parent.mkdir(parents=True, exist_ok=True)
        for old in sorted(sheet.parent.glob("*.*"), key=lambda path: path.stat().st_mtime)[: -2 * _MAX_CACHED]:
            old.unlink(missing_ok=True)
        answer = _run_renderer(request | {"sheet": str(part)})
        if "frames" not in answer:
            sentence = str(answer.get("problem") or "This clip cannot be rendered. Choose other settings.")
            raise Invalid(sentence, _FIELDS.get(str(answer.get("field")), ""))
        os.replace(part, sheet)
        facts.write_text(json.dumps(answer["frames"]))
    finally:
        part.unlink(missing_ok=True)


def _run_renderer(request: dict[str, Any]) -> dict[str, Any]:
    try:
        done = sandbox.run(Tool.FRAMES, request=json.dumps(request).encode() + b"\n")
        return json.loads(done.output.splitlines()[-1])
    except (sandbox.TimeLimitReached, ValueError, IndexError):
        return {}
