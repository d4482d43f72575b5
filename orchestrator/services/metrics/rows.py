"""The rows of curves and logs that pages and the REST answers share."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class History:
    """Curves of a job up to and including the record `last_seq`: the live stream goes on from there."""

    series: dict[str, list[list[float]]]
    """name -> [[step, value], ...], steps rising."""
    last_seq: int
    attempt: int


@dataclass(frozen=True, slots=True)
class Telemetry:
    """What a run took of its machine up to line `last`; x is in seconds since its first start."""

    series: dict[str, list[list[float]]]
    """cpu, machine_cpu, gpu (0..1); memory, machine_memory, gpu_memory (bytes)."""
    last: int


@dataclass(frozen=True, slots=True)
class LogRow:
    """One line of a job's log."""

    at: str
    """ISO 8601, UTC."""
    level: str
    """debug | info | warning | error."""
    message: str
    position: int
    """Byte offset of the line in the log: the marker for older and newer lines."""


@dataclass(frozen=True, slots=True)
class LogPage:
    """Some lines, oldest first; `before` asks for older lines, `after` for newer ones."""

    lines: list[LogRow]
    before: int | None
    """Marker of older lines, None when the first line is here."""
    after: int
    """Marker of newer lines: the end of what was read."""
