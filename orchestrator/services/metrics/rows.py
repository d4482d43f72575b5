"""Curves and logs as pages and REST responses show them."""

from dataclasses import dataclass
from typing import Annotated

from orchestrator.domain.json_schemas import OneOf


@dataclass(frozen=True, slots=True)
class History:
    """Curves of a job up to and including the record `last_seq`; the live stream continues after it."""

    series: dict[str, list[list[float]]]
    """name -> [[step, value], ...], steps rising."""
    last_seq: int
    attempt: int


@dataclass(frozen=True, slots=True)
class Telemetry:
    """What a run took of its machine up to sample `last`; x is in seconds since the first sample."""

    series: dict[str, list[list[float]]]
    """cpu, machine_cpu, gpu (0..1); memory, machine_memory, gpu_memory (bytes)."""
    last: int


@dataclass(frozen=True, slots=True)
class LogRow:
    """One line of a job's log."""

    at: str
    """ISO 8601, UTC."""
    level: Annotated[str, OneOf(("debug", "info", "warning", "error"))]
    message: str
    position: int
    """Byte offset of the line in the log."""


@dataclass(frozen=True, slots=True)
class LogPage:
    """Some lines, the oldest first."""

    lines: list[LogRow]
    before: int | None
    """Position from which older lines are read; None when the first line is here."""
    after: int
    """Position from which newer lines are read."""
