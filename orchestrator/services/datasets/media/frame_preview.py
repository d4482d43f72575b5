"""Previews of the frames that a model gets of a clip: rendered by the trainer's own code in a sandbox, and cached."""

import hashlib
import json
import os
import secrets
import threading
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sqlmodel import Session

from orchestrator.domain.errors import Conflict, Invalid, Unavailable
from orchestrator.domain.models import ModelStatus
from orchestrator.domain.users import Actor
from orchestrator.services import sandbox
from orchestrator.services.access import owned_clip, owned_dataset, visible_model
from orchestrator.services.datasets.files import dataset_folder
from orchestrator.services.datasets.media.clips import clip_media
from orchestrator.services.sandbox import Tool

MAX_PIXELS = 48_000_000
_WAIT_S, _MAX_CACHED = 60.0, 200
_RENDERING = threading.BoundedSemaphore(1)
_FIELDS = {"data.frames": "frames", "data.size": "size", "data.fps": "fps", "model_id": "model"}
"""Fields of a recipe -> the parameters of a preview."""


@dataclass(frozen=True, slots=True)
class FrameSettings:
    """As `data` of a recipe; None: what the model was made for."""

    frames: int | None = None
    size: int | None = None
    fps: float | None = None


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


def render_frame_preview(
    session: Session, actor: Actor, clip_id: int, model_id: int, settings: FrameSettings
) -> FramePreview:
    """Renders exactly the frames and pixels that a job with these settings trains on.

    Raises:
        Invalid: the settings do not fit the model, or the clip cannot be decoded. Conflict: the model is not ready.
        NotFound. Unavailable: other previews are being rendered.
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
    key = json.dumps([clip.content_hash, model.path, model.revision, str(task), asdict(settings)])
    stem = hashlib.sha256(key.encode()).hexdigest()[:24]
    folder = dataset_folder(clip.dataset_id) / "seen"
    sheet, facts = folder / f"{stem}.png", folder / f"{stem}.json"
    if not (sheet.is_file() and facts.is_file()):
        request = {"clip": str(path), "name": path.name if not clip.name else clip.name.rpartition("/")[2]}
        request |= {"model": model.path, "task": str(task), "data": asdict(settings)}
        _render(request, sheet, facts)
    answer: dict[str, Any] = json.loads(facts.read_text())
    return FramePreview(**answer, frames=clip.frames, duration_s=clip.duration_s, sheet=sheet)


def _limits(settings: FrameSettings) -> list[tuple[str, float | None, float, float]]:
    return [("frames", settings.frames, 1, 256), ("size", settings.size, 16, 1_024), ("fps", settings.fps, 0.01, 240)]


def _render(request: dict[str, Any], sheet: Path, facts: Path) -> None:
    if not _RENDERING.acquire(timeout=_WAIT_S):
        raise Unavailable("Other previews are being rendered. Try again in a moment.")
    part = sheet.with_name(f"{sheet.stem}.{secrets.token_hex(4)}.part")
    try:
        sheet.parent.mkdir(parents=True, exist_ok=True)
        for old in sorted(sheet.parent.glob("*.*"), key=lambda path: path.stat().st_mtime)[: -2 * _MAX_CACHED]:
            old.unlink(missing_ok=True)
        answer = _run_renderer(request | {"sheet": str(part)})
        if "seen" not in answer:
            sentence = str(answer.get("problem") or "This clip cannot be rendered. Choose other settings.")
            raise Invalid(sentence, _FIELDS.get(str(answer.get("field")), ""))
        os.replace(part, sheet)
        facts.write_text(json.dumps(answer["seen"]))
    finally:
        part.unlink(missing_ok=True)
        _RENDERING.release()


def _run_renderer(request: dict[str, Any]) -> dict[str, Any]:
    try:
        done = sandbox.run(Tool.FRAMES, request=json.dumps(request).encode() + b"\n")
        return json.loads(done.output.splitlines()[-1])
    except (sandbox.TimeLimitReached, ValueError, IndexError):
        return {}
