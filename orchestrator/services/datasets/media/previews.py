"""Files that a browser can play: the clip itself, or an H.264 copy that is made at the first request."""

import os
import secrets
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import TypeVar

from sqlmodel import Session

from orchestrator.domain.clip_facts import READER_VERSION
from orchestrator.domain.datasets import Clip
from orchestrator.domain.errors import NotFound
from orchestrator.domain.users import Actor
from orchestrator.services import sandbox
from orchestrator.services.access import owned_clip
from orchestrator.services.datasets.curation.examined_clips import ExaminedClip
from orchestrator.services.datasets.files import dataset_folder
from orchestrator.services.datasets.media.clips import clip_media
from orchestrator.services.fair_queue import FairQueue
from orchestrator.services.sandbox import Tool

_Film = TypeVar("_Film", Clip, ExaminedClip)
_OPEN_CODECS = ("vp8", "vp9", "av1", "libdav1d")
_PLAYABLE = {".mp4": ("h264", *_OPEN_CODECS), ".m4v": ("h264",), ".mov": ("h264",), ".webm": _OPEN_CODECS}
COPIES = FairQueue("Other previews are being made", at_once=2, per_person=12)
"""Limits the copies that are made at the same time, so that a page of clips does not occupy all cores."""


def is_playable(path: Path, codec: str) -> bool:
    """Whether browsers play this file type and codec."""
    return codec in _PLAYABLE.get(path.suffix.lower(), ())


def preview_source(session: Session, actor: Actor, clip_id: int) -> tuple[Path, Path | None]:
    """The file of a clip, and the path of its copy; None where browsers play the clip itself.

    Raises:
        NotFound: the clip does not exist, belongs to another user, or its file is missing.
    """
    clip, path = owned_clip(session, actor, clip_id), clip_media(session, actor, clip_id)
    return path, None if is_playable(path, clip.codec) else preview_path(clip)


def preview_path(clip: Clip | ExaminedClip) -> Path:
    """The path of a clip's H.264 copy, whether it exists or not; a copy by an earlier reader is made again."""
    return previews_folder(clip.dataset_id) / f"{Path(clip.path).stem}.r{READER_VERSION}.mp4"


def previews_folder(dataset_id: int) -> Path:
    """The folder of a dataset's H.264 copies."""
    return dataset_folder(dataset_id) / "previews"


def refusal_marker(copy: Path) -> Path:
    """The marker file of a copy that could not be made, so that it is not tried again automatically."""
    return copy.with_suffix(".refused")


def clips_without_preview(clips: Iterable[_Film], existing: Collection[str]) -> list[_Film]:
    """The clips that browsers do not play and that have no copy yet.

    Args:
        existing: the names in `previews_folder`.
    """
    unplayable = [clip for clip in clips if clip.codec and not is_playable(Path(clip.path), clip.codec)]
    return [
        clip
        for clip in unplayable
        if not {(copy := preview_path(clip)).name, refusal_marker(copy).name} & set(existing)
    ]


def make_preview(source: Path, target: Path) -> Path:
    """The copy, which is made now in a sandbox if it does not exist. In the web, call it in `COPIES`.

    Raises:
        NotFound: the clip cannot be converted.
    """
    if target.is_file():
        return target
    part = target.with_name(f"{target.stem}.{secrets.token_hex(4)}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if sandbox.run(Tool.PREVIEW, str(source), str(part)).code != 0:
            raise NotFound("This clip cannot be shown in a browser. Download it to play it.")
        os.replace(part, target)
        return target
    except sandbox.TimeLimitReached:
        raise NotFound("This clip takes too long to prepare for a browser. Download it to play it.") from None
    finally:
        part.unlink(missing_ok=True)
