"""Follows one run record by record: which records are new, which are missing, and what the page has to change."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from math import isfinite
from typing import NamedTuple

from orchestrator.domain.live_records import HubRecord, LiveRecord, MetricRecord, ProgressRecord, SystemRecord
from orchestrator.states.jobs.metric_cards import Tally
from orchestrator.states.jobs.rows import LEVELS, LogLine

OVERLAP = 4
"""Batches that are sent again with the next one, in case the browser drew two of them as one."""
TAIL = 8
"""Log lines on the overview."""


@dataclass(frozen=True, slots=True)
class Point:
    """One metric record."""

    seq: int
    step: int
    values: dict[str, float]


class Item(NamedTuple):
    """One point of one curve; sent as a short list."""

    step: int
    series: str
    value: float


@dataclass(frozen=True, slots=True)
class Batch:
    """What a chart receives at once: the records `first_seq` to `seq`; 0: none yet."""

    seq: int = 0
    first_seq: int = 0
    items: tuple[Item, ...] = ()


@dataclass
class News:
    """What one batch of records changes."""

    points: list[Point] = field(default_factory=list)
    logs: list[LogLine] = field(default_factory=list)
    system: list[SystemRecord] = field(default_factory=list)
    """Telemetry samples."""
    progress: MetricRecord | ProgressRecord | None = None
    status_changed: bool = False
    """The job has changed in the database."""
    gap: bool = False


class Follower:
    """Knows which records of its job a tab has received. Not sent to the browser. No dataclass: see `Tally`."""

    def __init__(self, seq: int = 0) -> None:
        self.seq = seq
        self.tally = Tally.empty()
        self.last_sent = 0
        """The last record that was sent to the charts; 0: only the history was sent so far."""
        self.sent: list[tuple[int, list[Item]]] = []
        """The newest batches, each with the number of its first record."""
        self._pace: tuple[int, int, datetime] | None = None
        """Attempt, step and time of the first step that was followed."""

    def take(self, records: Iterable[HubRecord]) -> News:
        """Sorts a batch of live records; those that the history contains are left out."""
        news = News()
        for record in records:
            if record["kind"] == "gap":
                news.gap = True
                continue
            if record["kind"] == "status" or record["kind"] == "noted":
                news.status_changed = True
            if seq := record["seq"]:
                if seq <= self.seq:
                    continue
                news.gap = news.gap or seq > self.seq + 1
                self.seq = seq
            self._sort(record, news)
        return news

    def _sort(self, record: LiveRecord, news: News) -> None:
        match record["kind"]:
            case "metric":
                point = to_point(record)
                self.tally.add(point.step, point.values)
                news.points.append(point)
                if record["total"]:
                    news.progress = record
            case "progress":
                news.progress = record
            case "log":
                news.logs.append(LogLine(record["t"], LEVELS.get(record["level"], record["level"]), record["message"]))
            case "system":
                news.system.append(record)

    def seconds_left(self, record: MetricRecord | ProgressRecord) -> float | None:
        """The time to go at the pace of this attempt since the tab follows it, as its supervisor counts it.

        A job may have waited for hours between two attempts: the time since its start says nothing of its pace.

        Returns:
            None before the second step.
        """
        step, attempt, now = record["step"], record["attempt"], datetime.fromisoformat(record["t"])
        if self._pace is None or self._pace[0] != attempt:
            self._pace = (attempt, step, now) if step else None
            return None
        _, first, began = self._pace
        return (now - began).total_seconds() / (step - first) * max(0, record["total"] - step) if step > first else None

    def batch(self, points: list[Point]) -> Batch:
        """The new points, with the few batches before them."""
        fresh = [Item(point.step, name, value) for point in points for name, value in point.values.items()]
        # The first batch follows the history, which holds everything before it.
        self.sent = [*self.sent[-OVERLAP:], (self.last_sent + 1, fresh)]
        self.last_sent = points[-1].seq
        return Batch(self.last_sent, self.sent[0][0], tuple(item for _, part in self.sent for item in part))


def to_point(record: MetricRecord) -> Point:
    """A metric record as a point; values that are no finite numbers are left out."""
    values = {name: float(value) for name, value in record["values"].items() if value is not None and isfinite(value)}
    return Point(record["seq"], record["step"], values)
