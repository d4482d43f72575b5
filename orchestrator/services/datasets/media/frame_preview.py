"""What a model sees of a clip under given settings: drawn by the trainer's own code in a process with limits, kept."""

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

MOST_PIXELS = 48_000_000
_WAIT_S, _KEPT = 60.0, 200
_TURNS = threading.BoundedSemaphore(1)
_FIELDS = {"data.frames": "frames", "data.size": "size", "data.fps": "fps", "model_id": "model"}
"""A recipe's field, as it is called here."""


@dataclass(frozen=True, slots=True)
class Settings:
    """As in a recipe's `data`; None: what the model was made for."""

    frames: int | None = None
    size: int | None = None
    fps: float | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """The frames' places in the clip; `sheet` is a PNG of all of them in rows of `columns`, `width` x `height` each."""

    indices: list[int]
    times: list[float]
    columns: int
    width: int
    height: int
    frames: int
    """Of the whole clip."""
    duration_s: float
    sheet: Path


def what_a_model_sees(session: Session, actor: Actor, clip_id: int, model_id: int, wanted: Settings) -> Seen:
    """Exactly the frames and pixels that a job with these settings trains on.

    Raises:
        Invalid: the settings do not fit the model, or the clip cannot be decoded. Conflict: the model is not ready.
        NotFound. Unavailable: others are being drawn.
    """
    clip, path = owned_clip(session, actor, clip_id), clip_media(session, actor, clip_id)
    model, task = visible_model(session, actor, model_id), owned_dataset(session, actor, clip.dataset_id).task
    if model.status is not ModelStatus.READY:
        raise Conflict("This model is not ready. Choose another.", "model")
    beyond = [name for name, value, low, high in _bounds(wanted) if value is not None and not low <= value <= high]
    if beyond:
        raise Invalid(
            "Choose 1 to 256 frames, a frame size of 16 to 1,024 pixels, and at most 240 frames a second.", beyond[0]
        )
    if (wanted.frames or 0) * (wanted.size or 0) ** 2 > MOST_PIXELS:
        raise Invalid("That is more than can be drawn at once. Choose fewer frames or a smaller frame size.", "frames")
    key = json.dumps([clip.content_hash, model.path, model.revision, str(task), asdict(wanted)])
    stem = hashlib.sha256(key.encode()).hexdigest()[:24]
    folder = dataset_folder(clip.dataset_id) / "seen"
    sheet, facts = folder / f"{stem}.png", folder / f"{stem}.json"
    if not (sheet.is_file() and facts.is_file()):
        wish = {"clip": str(path), "name": path.name if not clip.name else clip.name.rpartition("/")[2]}
        wish |= {"model": model.path, "task": str(task), "data": asdict(wanted)}
        _draw(wish, sheet, facts)
    told: dict[str, Any] = json.loads(facts.read_text())
    return Seen(**told, frames=clip.frames, duration_s=clip.duration_s, sheet=sheet)


def _bounds(wanted: Settings) -> list[tuple[str, float | None, float, float]]:
    return [("frames", wanted.frames, 1, 256), ("size", wanted.size, 16, 1_024), ("fps", wanted.fps, 0.01, 240)]


def _draw(wish: dict[str, Any], sheet: Path, facts: Path) -> None:
    if not _TURNS.acquire(timeout=_WAIT_S):
        raise Unavailable("Other clips are being drawn. Try again in a moment.")
    part = sheet.with_name(f"{sheet.stem}.{secrets.token_hex(4)}.part")
    try:
        sheet.parent.mkdir(parents=True, exist_ok=True)
        for old in sorted(sheet.parent.glob("*.*"), key=lambda path: path.stat().st_mtime)[: -2 * _KEPT]:
            old.unlink(missing_ok=True)
        told = _ask(wish | {"sheet": str(part)})
        if "seen" not in told:
            sentence = str(told.get("problem") or "This clip cannot be drawn. Choose other settings.")
            raise Invalid(sentence, _FIELDS.get(str(told.get("field")), ""))
        os.replace(part, sheet)
        facts.write_text(json.dumps(told["seen"]))
    finally:
        part.unlink(missing_ok=True)
        _TURNS.release()


def _ask(wish: dict[str, Any]) -> dict[str, Any]:
    try:
        done = sandbox.run(Tool.FRAMES, request=json.dumps(wish).encode() + b"\n")
        return json.loads(done.output.splitlines()[-1])
    except (sandbox.TimeLimitReached, ValueError, IndexError):
        return {}
