"""Follows one run record by record: what is new, what is missing, what the page must be told."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from orchestrator.states.job_metrics import Tally
from orchestrator.states.job_rows import LogLine, log_line

OVERLAP = 10
"""Points that travel once more with the next batch, in case the browser drew two batches as one."""
TAIL = 8
"""Log lines on the overview."""


@dataclass(frozen=True, slots=True)
class Point:
    """One metric record as the chart takes it."""

    seq: int
    step: int
    epoch: float
    values: dict[str, float]
    t: str


@dataclass
class News:
    """What one group of records says."""

    points: list[Point] = field(default_factory=list)
    logs: list[LogLine] = field(default_factory=list)
    progress: dict[str, Any] | None = None
    status_changed: bool = False
    gap: bool = False


@dataclass
class Follower:
    """Knows up to which record a page has seen its job. One a tab; never travels."""

    seq: int = 0
    tally: Tally = field(default_factory=Tally.empty)
    sent: list[Point] = field(default_factory=list)

    def take(self, records: Iterable[dict[str, Any]]) -> News:
        """Sorts a group of live records; older ones than the history already told are left out."""
        news = News()
        for record in records:
            kind = record.get("kind")
            if kind == "gap":
                news.gap = True
                continue
            if kind == "status":
                news.status_changed = True
            seq = int(record.get("seq") or 0)
            if seq:
                if seq <= self.seq:
                    continue
                news.gap = news.gap or seq > self.seq + 1
                self.seq = seq
            self._sort(kind, record, seq, news)
        return news

    def _sort(self, kind: Any, record: dict[str, Any], seq: int, news: News) -> None:
        if kind == "metric":
            point = to_point(record)
            self.tally.add(point.step, point.values)
            news.points.append(point)
        elif kind == "log":
            news.logs.append(
                log_line(record.get("t", ""), record.get("level", "info"), record.get("message", ""), f"s{seq}")
            )
        elif kind == "progress":
            news.progress = record

    def batch(self, points: list[Point]) -> list[Point]:
        """The new points behind the last few that travelled before."""
        made = [*self.sent[-OVERLAP:], *points]
        self.sent = made[-OVERLAP:]
        return made


def to_point(record: dict[str, Any]) -> Point:
    """A metric record; values that are no finite numbers are left out of curves."""
    values = {
        str(name): float(value)
        for name, value in (record.get("values") or {}).items()
        if isinstance(value, int | float) and value == value and abs(value) != float("inf")
    }
    return Point(
        int(record.get("seq") or 0),
        int(record.get("step") or 0),
        float(record.get("epoch") or 0.0),
        values,
        str(record.get("t") or ""),
    )
