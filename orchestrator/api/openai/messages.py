"""Reads a chat: its instructions, its turns, the question at its end, and the clip that it is about."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from orchestrator.domain.errors import Invalid
from orchestrator.domain.playground import ChatTurn

FRAMES_PER_SECOND = 2.0
"""The rate of frames that are sent as pictures, where the client names none; Qwen's clients sample at this rate."""
_FRAMES_IN_ADDRESS = ("data:video/jpeg;base64,", "data:video/png;base64,")
"""vLLM's form of a clip: the pictures of one address, separated by commas."""
_NO_CLIP = (
    "Show a clip: a content part of type video_url in a message of the user, or its frames as parts of type image_url."
)
_SHOWS = ("video_url", "video", "image_url")
"""The types of parts that show something."""
_READ_PARTS = "text, video_url, video and image_url"
Role = Literal["user", "assistant"]


class Address(BaseModel):
    """An address inside a part; `detail` and the like are hints."""

    url: str


class Part(BaseModel):
    """One part of a message; what else it holds is named in the answer's warnings."""

    model_config = ConfigDict(extra="allow")
    type: str
    text: str | None = None
    refusal: str | None = None
    video_url: Address | str | None = None
    video: str | list[str] | None = None
    image_url: Address | str | None = None
    fps: float | None = Field(default=None, ge=0.01, le=240)


class Message(BaseModel):
    """One turn of the chat."""

    model_config = ConfigDict(extra="ignore")
    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[Part] | None = None
    refusal: str | None = None
    name: str | None = None
    tool_calls: list[Any] | None = None
    function_call: Any = None
    audio: Any = None


@dataclass(frozen=True, slots=True)
class ShownClip:
    """The clip of a turn: at an address, or as pictures."""

    url: str = ""
    frames: tuple[str, ...] = ()
    """Addresses of pictures, in their order."""
    fps: float = FRAMES_PER_SECOND


@dataclass(frozen=True, slots=True)
class Chat:
    """A chat as a model is asked."""

    system: str
    earlier: tuple[ChatTurn, ...]
    question: str
    clip: ShownClip
    warnings: tuple[str, ...] = ()
    """What of the chat the model does not see, as sentences."""


@dataclass(slots=True)
class _Turn:
    role: Role
    texts: list[str] = field(default_factory=list)
    clip: ShownClip | None = None


def read_chat(messages: list[Message]) -> Chat:
    """The chat; its clip is the newest one that a user's turn shows.

    Raises:
        Invalid: a message holds what no model here reads, there is no clip, or the last turn is not the user's.
    """
    for number, message in enumerate(messages):
        _check(message, f"messages[{number}]")
    system, turns, warnings = _turns(messages)
    if not turns or turns[-1].role != "user":
        raise Invalid("The last message must be the user's: it is the question.", "messages")
    clips = [turn.clip for turn in turns if turn.clip is not None]
    if not clips:
        raise Invalid(_NO_CLIP, "messages")
    if any(clip != clips[-1] for clip in clips):
        warnings.append("This chat shows several clips: the model sees the newest one only.")
    shown = max(number for number, turn in enumerate(turns) if turn.clip is not None)
    earlier = tuple(
        ChatTurn(turn.role, "\n".join(turn.texts), number == shown) for number, turn in enumerate(turns[:-1])
    )
    return Chat(system, earlier, "\n".join(turns[-1].texts), clips[-1], tuple(warnings))


def _check(message: Message, where: str) -> None:
    """Refuses what is not read, with the place where it stands."""
    if message.role in ("tool", "function") or message.tool_calls or message.function_call or message.audio:
        raise Invalid(f"{where}: calls of tools and their results are not read here, nor is audio.", where)
    for number, part in enumerate(_parts(message)):
        place = f"{where}.content[{number}]"
        if part.type not in ("text", "refusal", *_SHOWS):
            raise Invalid(f"{place}: a part of type {part.type[:40]} is not read here; send {_READ_PARTS}.", place)
        if part.type in _SHOWS and message.role != "user":
            raise Invalid(f"{place}: only a message of the user can show a clip.", place)


def _turns(messages: list[Message]) -> tuple[str, list[_Turn], list[str]]:
    """The instructions, the turns that alternate between the user and the model, and what is left out."""
    system: list[str] = []
    turns: list[_Turn] = []
    warnings: list[str] = []
    instructions: list[str] = []
    for number, message in enumerate(messages):
        if message.name:
            warnings.append(f"messages[{number}].name is not shown to the model.")
        warnings += _unread_options(message, f"messages[{number}]")
        if message.role in ("system", "developer"):
            (instructions if turns else system).extend(_texts(message))
            continue
        role: Role = "assistant" if message.role == "assistant" else "user"
        clip = _clip(message, f"messages[{number}]")
        texts = _texts(message)
        if not texts and clip is None:
            continue
        if not turns or turns[-1].role != role:
            turns.append(_Turn(role))
        # Instructions in the middle of a chat stand before the words of the user that they precede.
        turns[-1].texts += [*(instructions if role == "user" else ()), *texts]
        turns[-1].clip = clip or turns[-1].clip
        if role == "user":
            instructions = []
    if turns:
        turns[-1].texts += instructions
    return "\n".join(system), turns, warnings


def _clip(message: Message, where: str) -> ShownClip | None:
    """The clip that a message shows: one video, or pictures that are its frames.

    Raises:
        Invalid: there are several, or an address is missing.
    """
    shown = [(part, _addresses(part)) for part in _parts(message) if part.type in _SHOWS]
    if not shown:
        return None
    if not all(address for _, addresses in shown for address in addresses or [""]):
        raise Invalid(f"{where}: the address of its clip is missing.", where)
    part, addresses = shown[0]
    fps = part.fps or FRAMES_PER_SECOND
    if all(part.type == "image_url" for part, _ in shown):
        return ShownClip(frames=tuple(addresses[0] for _, addresses in shown), fps=fps)
    if len(shown) > 1:
        raise Invalid(f"{where} shows {len(shown)} clips; a message may show one.", where)
    if isinstance(part.video, list):
        return ShownClip(frames=tuple(addresses), fps=fps)
    [address] = addresses
    for head in _FRAMES_IN_ADDRESS:
        if address[: len(head)].lower() == head:
            pictures = address[len(head) :].split(",")
            kind = head.replace("video", "image")
            return ShownClip(frames=tuple(kind + picture for picture in pictures), fps=fps)
    return ShownClip(url=address)


def _unread_options(message: Message, where: str) -> Iterator[str]:
    """How a client would have a clip sampled, which the base's own settings decide here."""
    for number, part in enumerate(_parts(message)):
        names = [*(part.__pydantic_extra__ or {})]
        if part.fps and part.type in ("video_url", "video") and not _is_pictures(part):
            names.append("fps")
        for name in names:
            yield f"{where}.content[{number}].{name[:80]} is not followed: the base's own sampling and size are used."


def _is_pictures(part: Part) -> bool:
    return isinstance(part.video, list) or _addresses(part)[0].lower().startswith(_FRAMES_IN_ADDRESS)


def _addresses(part: Part) -> list[str]:
    value: Any = getattr(part, part.type)
    if isinstance(value, list):
        return [address.strip() for address in value]
    return [(value.url if isinstance(value, Address) else value or "").strip()]


def _parts(message: Message) -> list[Part]:
    if isinstance(message.content, list):
        return message.content
    return [Part(type="text", text=message.content or "")]


def _texts(message: Message) -> list[str]:
    """The texts of a message; a refusal is what the model said."""
    return list(filter(None, map(str.strip, _words(message))))


def _words(message: Message) -> Iterator[str]:
    yield message.refusal or ""
    for part in _parts(message):
        yield (part.text if part.type == "text" else part.refusal if part.type == "refusal" else "") or ""
