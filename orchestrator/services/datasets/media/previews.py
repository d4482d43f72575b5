"""The file of a clip that a browser can play: the clip itself, or an H.264 copy made when it is first asked for."""

import os
import secrets
import threading
from collections.abc import Collection, Iterable
from pathlib import Path

from sqlmodel import Session

from orchestrator.domain.datasets import Clip
from orchestrator.domain.errors import NotFound, Unavailable
from orchestrator.domain.users import Actor
from orchestrator.services import sandbox
from orchestrator.services.access import owned_clip
from orchestrator.services.datasets.files import dataset_folder
from orchestrator.services.datasets.media.clips import clip_media
from orchestrator.services.sandbox import Tool

_OPEN = ("vp8", "vp9", "av1", "libdav1d")
_PLAYED = {".mp4": ("h264", *_OPEN), ".m4v": ("h264",), ".mov": ("h264",), ".webm": _OPEN}
_TURNS = threading.BoundedSemaphore(2)
"""Copies made at once; a page of clips must not take every core."""
_WAIT_S = 60.0


def plays(path: Path, codec: str) -> bool:
    """Whether browsers play this ending and codec."""
    return codec in _PLAYED.get(path.suffix.lower(), ())


def preview_source(session: Session, actor: Actor, clip_id: int) -> tuple[Path, Path | None]:
    """(the clip's file, where its copy belongs); no copy where the browser plays the clip itself.

    Raises:
        NotFound: no such clip, somebody else's, or its file is gone.
    """
    clip, path = owned_clip(session, actor, clip_id), clip_media(session, actor, clip_id)
    return path, None if plays(path, clip.codec) else copy_of(clip)


def copy_of(clip: Clip) -> Path:
    """Where the clip's H.264 copy lies, or will lie."""
    return copies_of(clip.dataset_id) / f"{Path(clip.path).stem}.mp4"


def copies_of(dataset_id: int) -> Path:
    """The folder of a dataset's H.264 copies."""
    return dataset_folder(dataset_id) / "previews"


def refusal_of(copy: Path) -> Path:
    """A mark beside the place of a copy that could not be made, so that nobody tries again unasked."""
    return copy.with_suffix(".refused")


def without_copy(clips: Iterable[Clip], there: Collection[str]) -> list[Clip]:
    """The clips that a browser cannot play and that have no copy yet; `there`: the names in `copies_of`."""
    odd = [clip for clip in clips if clip.codec and not plays(Path(clip.path), clip.codec)]
    return [clip for clip in odd if not {(copy := copy_of(clip)).name, refusal_of(copy).name} & set(there)]


def make_preview(source: Path, target: Path) -> Path:
    """The copy, made now if need be, in a process with limits; whole or not there.

    Raises:
        NotFound: the clip cannot be copied. Unavailable: too many are being made.
    """
    if target.is_file():
        return target
    if not _TURNS.acquire(timeout=_WAIT_S):
        raise Unavailable("Other previews are being made. Try again in a moment.")
    part = target.with_name(f"{target.stem}.{secrets.token_hex(4)}.part")
    try:
        if target.is_file():  # made while we waited
            return target
        target.parent.mkdir(parents=True, exist_ok=True)
        if sandbox.run(Tool.PREVIEW, str(source), str(part)).code != 0:
            raise NotFound("This clip cannot be shown in a browser. Download it to play it.")
        os.replace(part, target)
        return target
    except sandbox.TimeLimitReached:
        raise NotFound("This clip takes too long to prepare for a browser. Download it to play it.") from None
    finally:
        part.unlink(missing_ok=True)
        _TURNS.release()
