"""Where a run's records go: every sink takes whole records and never stops a training."""

from typing import Any, Protocol

Record = dict[str, Any]
"""{"job", "attempt", "seq", "t", "kind": "metric" | "progress" | "log", ...}"""


class Sink(Protocol):
    """A place for records."""

    def put(self, record: Record) -> None:
        """Takes one record; returns at once."""
        ...

    def close(self) -> None:
        """Hands on what it still holds, within about two seconds."""
        ...
