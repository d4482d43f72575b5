"""Finds the clip of a chat: one of the studio, one inside the message, pictures, or one on the web."""

import base64
import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from orchestrator.api.openai.messages import ShownClip
from orchestrator.domain.errors import Invalid, TooLarge
from orchestrator.domain.users import Actor
from orchestrator.services.playground import scratch

BODY_BYTES = 96 * 2**20
"""The most that a request may have. A clip inside it has three quarters of that at most: base64 makes it larger."""
_VIDEO = re.compile(r"data:(video/[\w.+-]+|image/gif|application/octet-stream)?(?:;[\w=-]+)*;base64,", re.IGNORECASE)
_PICTURE = re.compile(r"data:image/(?:jpe?g|png|webp)(?:;[\w=-]+)*;base64,", re.IGNORECASE)
_OURS = re.compile(r"(?:clip:|(?:https?://([^/]+))?/api/v1/clips/)(\d{1,18})(?:/\w+)?/?")
_SUFFIX = {"video/mp4": "mp4", "video/webm": "webm", "video/quicktime": "mov", "image/gif": "gif"}


@dataclass(frozen=True, slots=True)
class ClipSource:
    """Where the clip of a chat is; exactly one of the three is set."""

    clip_id: int | None = None
    scratch_id: str = ""
    """A clip that came inside the message; the caller deletes it after the answer."""
    url: str = ""


def find_clip(actor: Actor, clip: ShownClip, host: str) -> ClipSource:
    """Resolves the clip of a chat; `host`: the studio's, as the client names it.

    Raises:
        Invalid: it is not a video that can be read.
    """
    if clip.frames:
        pictures = [_decode(_PICTURE, address, "image_url", _NO_PICTURE) for address in clip.frames]
        return _store(actor, "clip.mkv", lambda path: scratch.write_frames(path, pictures, clip.fps))
    ours = _OURS.fullmatch(clip.url)
    if ours and ours[1] in (None, host):
        return ClipSource(clip_id=int(ours[2]))
    if clip.url[:5].lower() != "data:":
        return ClipSource(url=clip.url)
    content = _decode(_VIDEO, clip.url, "video_url", _NO_VIDEO)
    kind = _VIDEO.match(clip.url[:200])
    name = f"clip.{_SUFFIX.get((kind[1] or '').lower() if kind else '', 'mp4')}"
    return _store(actor, name, lambda path: _write(path, content), len(content))


def too_large() -> TooLarge:
    """The error for a body that is larger than `BODY_BYTES`."""
    return TooLarge(f"The request has more than {BODY_BYTES // 2**20} MiB. Give the clip by an address instead.")


_NO_VIDEO = "A clip inside the message must be data:video/mp4;base64,... or the like."
_NO_PICTURE = (
    "Frames stand inside the message: data:image/jpeg;base64,... or PNG or WebP; none is fetched from the web."
)


def _decode(form: re.Pattern[str], address: str, field: str, expected: str) -> bytes:
    head = form.match(address[:200])
    if head is None:
        raise Invalid(expected, field)
    try:
        return base64.b64decode(address[head.end() :], validate=True)
    except (binascii.Error, ValueError) as error:
        raise Invalid("The clip inside the message is not complete base64. Encode it again.", field) from error


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def _store(actor: Actor, name: str, write: Callable[[Path], None], length: int | None = None) -> ClipSource:
    """Stores and checks the clip that came inside a message."""
    scratch_id, path = scratch.create_scratch(actor, name, length, asked=True)

    def check() -> str:
        write(path)
        return scratch.finish_scratch(actor, scratch_id, name).id

    try:
        return ClipSource(scratch_id=scratch.PROBES.run_blocking(actor.user_id, check))
    except BaseException:
        scratch.discard_scratch(actor, scratch_id)
        raise
