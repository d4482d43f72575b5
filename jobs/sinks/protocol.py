"""Where a run's records go: every sink takes complete records and never stops a training."""

from typing import Protocol

from orchestrator.domain.live_records import RunRecord


class Sink(Protocol):
    """A destination of records."""

    def put(self, record: RunRecord) -> None:
        """Takes one record; returns at once."""
        ...

    def close(self) -> None:
        """Sends the records that still wait, within about two seconds."""
        ...
