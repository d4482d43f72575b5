"""A question to a model: which base and adapter, about which clip or dataset; and the message that carries it."""

import json
from dataclasses import asdict, dataclass
from typing import Self

MAX_ANSWER_TOKENS = 512
"""The most tokens that an answer may have."""
DEFAULT_ANSWER_TOKENS = 64
MAX_STOPS = 4
"""Stop sequences of a question, as with OpenAI."""
SEARCH_RESULTS = 12
"""How many clips a search returns."""


@dataclass(frozen=True, slots=True)
class ChatTurn:
    """An earlier turn of a chat."""

    role: str
    """user | assistant"""
    text: str
    shows_clip: bool = False
    """The clip of the chat stands in this turn."""


@dataclass(frozen=True, slots=True)
class InferenceRequest:
    """A question of a user. It holds ids only; the worker reads their records and checks permission again."""

    model_id: int | None = None
    """The base; None where it is the adapter's."""
    adapter_id: int | None = None
    clip_id: int | None = None
    """A clip of a dataset."""
    scratch_id: str = ""
    """A clip that was uploaded for the playground and is kept for a short time (services/playground/scratch.py)."""
    url: str = ""
    """A clip on the web; the worker downloads it, from public addresses only."""
    dataset_id: int | None = None
    """The dataset to search with `query`."""
    query: str = ""
    prompt: str = ""
    max_tokens: int = DEFAULT_ANSWER_TOKENS
    compare: bool = True
    """With an adapter: also ask the base without it."""
    stream: bool = False
    """Send the text token by token."""
    system: str = ""
    """Instructions before the chat."""
    earlier: tuple[ChatTurn, ...] = ()
    """The turns of the chat before `prompt`; where none of them shows the clip, `prompt` does."""
    stop: tuple[str, ...] = ()
    """Texts that end the answer and are no part of it."""
    temperature: float = 0.0
    """0: the likeliest token each time."""
    top_p: float = 1.0
    seed: int | None = None
    """Makes sampling repeatable."""


@dataclass(frozen=True, slots=True)
class InferenceMessage:
    """A request on its way to the worker that answers it."""

    id: str
    user_id: int
    request: InferenceRequest

    def pack(self) -> str:
        """The message as JSON."""
        # What is as usual is left out, and one key stays as it was: workers of older versions read this too.
        usual = asdict(InferenceRequest())
        request = {name: value for name, value in asdict(self.request).items() if value != usual[name]}
        request.pop("max_tokens", None)
        request["longest"] = self.request.max_tokens
        return json.dumps({"id": self.id, "user_id": self.user_id, "wish": request})

    @classmethod
    def unpack(cls, text: str | bytes) -> Self:
        """Reads a message.

        Raises:
            ValueError, TypeError, LookupError: it is none that `pack` wrote.
        """
        raw = json.loads(text)
        request = dict(raw["wish"])
        request["max_tokens"] = request.pop("longest")
        request["earlier"] = tuple(ChatTurn(**turn) for turn in request.get("earlier", ()))
        request["stop"] = tuple(map(str, request.get("stop", ())))
        return cls(str(raw["id"]), int(raw["user_id"]), InferenceRequest(**request))
