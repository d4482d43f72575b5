"""What a question to a model is: which base and adapter, about which clip or dataset, in which words."""

import json
from dataclasses import asdict, dataclass
from typing import Self

LONGEST = 512
"""Tokens of an answer at most."""
USUAL_LENGTH = 64
FOUND = 12
"""Clips that a search shows."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants to know. Ids only: whoever answers asks the ledger what they mean and whose they are."""

    model_id: int | None = None
    """The base; None where the adapter says it."""
    adapter_id: int | None = None
    clip_id: int | None = None
    """A clip of a dataset."""
    scratch_id: str = ""
    """A clip that was dropped on the page, and that is kept for a while only."""
    url: str = ""
    """A clip on the web, fetched by the worker from public addresses only."""
    dataset_id: int | None = None
    """Where to search; with `query`."""
    query: str = ""
    prompt: str = ""
    longest: int = USUAL_LENGTH
    compare: bool = True
    """With an adapter: ask the base without it too."""
    stream: bool = False
    """Say the text piece by piece."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A wish on its way to whoever answers."""

    id: str
    user_id: int
    wish: Wish

    def pack(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def unpack(cls, text: str | bytes) -> Self:
        """Raises ValueError or TypeError where somebody else wrote it."""
        raw = json.loads(text)
        return cls(str(raw["id"]), int(raw["user_id"]), Wish(**raw["wish"]))
