"""Reads a chat: the clip in it and the question. A clip inside a message is stored like one of the playground."""

import base64
import binascii
import re
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from orchestrator.domain.errors import AppError, Invalid, TooLarge
from orchestrator.domain.users import Actor
from orchestrator.services.playground import scratch

BODY_BYTES = 96 * 2**20
"""The most that a request may have. A clip inside it has three quarters of that at most: base64 makes it larger."""
_DATA = re.compile(r"data:(video/[\w.+-]+|image/gif|application/octet-stream)?(?:;[\w=-]+)*;base64,", re.IGNORECASE)
_OURS = re.compile(r"(?:clip:|(?:https?://([^/]+))?/api/v1/clips/)(\d{1,18})(?:/\w+)?/?")
_SUFFIX = {"video/mp4": "mp4", "video/webm": "webm", "video/quicktime": "mov", "image/gif": "gif"}
_ONE_CLIP = "Show exactly one clip: a content part of type video_url in the last message of the user."


class VideoUrl(BaseModel):
    url: str


class Part(BaseModel):
    """One part of a message."""

    model_config = ConfigDict(extra="ignore")
    type: str
    text: str = ""
    video_url: VideoUrl | str | None = None


class Message(BaseModel):
    """One turn of the chat."""

    model_config = ConfigDict(extra="ignore")
    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: str | list[Part] | None = None


class ChatBody(BaseModel):
    """The body of a chat completion. Fields that do not apply to greedy decoding (temperature, ...) are ignored."""

    model_config = ConfigDict(extra="ignore")
    model: str = Field(max_length=200)
    messages: list[Message] = Field(min_length=1, max_length=64)
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    stream: bool = False
    n: int | None = 1


@dataclass(frozen=True, slots=True)
class ClipSource:
    """Where the clip of a chat is; exactly one of the three is set."""

    clip_id: int | None = None
    scratch_id: str = ""
    url: str = ""


def question_of(messages: list[Message]) -> tuple[str, str]:
    """Reads the last turn of the user, with the system's instructions before it.

    Returns:
        (the question, the address of the clip).

    Raises:
        Invalid: there is no clip, or more than one.
    """
    turns = [message for message in messages if message.role == "user"]
    if not turns:
        raise Invalid(_ONE_CLIP, "messages")
    parts = _parts(turns[-1])
    urls = [_address(part) for part in parts if part.type == "video_url" or part.video_url is not None]
    if len(urls) != 1 or not urls[0]:
        raise Invalid(_ONE_CLIP, "messages")
    if unknown := {part.type for part in parts} - {"text", "video_url"}:
        raise Invalid(f"Parts of type {', '.join(sorted(unknown))} are not read here; send text and video_url.")
    before = [text for message in messages if message.role in ("system", "developer") for text in texts(message)]
    return "\n".join([*before, *texts(turns[-1])]).strip(), urls[0]


def find_clip(actor: Actor, url: str, host: str) -> ClipSource:
    """Resolves an address: a clip of the studio at `host`, a clip inside the message, or one on the web.

    Raises:
        Invalid: it is not a video that can be read.
    """
    ours = _OURS.fullmatch(url)
    if ours and ours[1] in (None, host):
        return ClipSource(clip_id=int(ours[2]))
    if url[:5].lower() != "data:":
        return ClipSource(url=url)
    head = _DATA.match(url[:200])
    if head is None:
        raise Invalid("A clip inside the message must be data:video/mp4;base64,... or the like.", "video_url")
    try:
        content = base64.b64decode(url[head.end() :], validate=True)
    except (binascii.Error, ValueError) as error:
        raise Invalid("The clip inside the message is not complete base64. Encode it again.", "video_url") from error
    name = f"clip.{_SUFFIX.get((head[1] or '').lower(), 'mp4')}"
    scratch_id, path = scratch.create_scratch(actor, name, len(content))
    path.write_bytes(content)
    finish = partial(scratch.finish_scratch, actor, scratch_id, name)
    try:
        return ClipSource(scratch_id=scratch.PROBES.run_blocking(actor.user_id, finish).id)
    except AppError:
        scratch.discard_scratch(actor, scratch_id)
        raise


def too_large() -> TooLarge:
    """The error for a body that is larger than `BODY_BYTES`."""
    return TooLarge(f"The request has more than {BODY_BYTES // 2**20} MiB. Give the clip by an address instead.")


def _parts(message: Message) -> list[Part]:
    if isinstance(message.content, list):
        return message.content
    return [Part(type="text", text=message.content or "")]


def texts(message: Message) -> list[str]:
    """The text parts of a turn."""
    return [part.text.strip() for part in _parts(message) if part.type == "text" and part.text.strip()]


def _address(part: Part) -> str:
    value: Any = part.video_url
    return (value.url if isinstance(value, VideoUrl) else value or "").strip()
