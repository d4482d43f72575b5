"""What a fetching process is asked to do: one source, the secrets for it, and how far it may go."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from orchestrator.settings import get_settings

NO_LIMIT = 2**62
"""For `max_bytes`, where nothing is downloaded."""
_OF_THE_HUB = ("hub", "hub-size", "push")


@dataclass(frozen=True, slots=True)
class FetchRequest:
    """One JSON line on the stdin of `python -m jobs.fetch`.

    Attributes:
        source: `type` says what is done: url, cloud, hub (a download), hub-size (a question) or push (an upload);
            the other keys depend on it.
        secrets: the credentials for this source, and no others.
        folder: where files are written, absolute.
        max_bytes: the most that may be downloaded.
        timeout_s: seconds that a server may be silent or send less than 1 KB a second.
        allow_private: whether addresses of this machine and of private networks may be contacted.
    """

    source: dict[str, Any]
    secrets: dict[str, Any]
    folder: str
    max_bytes: int
    timeout_s: float
    allow_private: bool

    def pack(self) -> bytes:
        """The line."""
        return json.dumps(asdict(self)).encode() + b"\n"

    @classmethod
    def unpack(cls, line: str | bytes) -> Self:
        """The request of a line."""
        return cls(**json.loads(line))


def fetch_request(
    source: dict[str, Any],
    secrets: dict[str, Any],
    folder: Path,
    max_bytes: int = NO_LIMIT,
    max_timeout_s: float = float("inf"),
) -> FetchRequest:
    """A request under the installation's settings; the arguments are `FetchRequest`'s."""
    timeout_s = min(get_settings().fetch_patience_s, max_timeout_s)
    return FetchRequest(source, secrets, str(folder), max_bytes, timeout_s, may_reach_private(source))


def may_reach_private(source: dict[str, Any]) -> bool:
    """Whether private addresses may be contacted for this source.

    Of the Hub people give a repository's id, never a host; so a mirror that the operator named may be a private one.
    """
    settings = get_settings()
    return settings.allow_private_urls or (source["type"] in _OF_THE_HUB and bool(settings.hub_endpoint))
