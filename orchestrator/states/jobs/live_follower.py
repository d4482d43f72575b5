"""Follows one run record by record: what is new, what is missing, what the page must be told."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from orchestrator.states.jobs.metric_cards import Tally
from orchestrator.states.jobs.rows import LEVELS, LogLine

OVERLAP = 4
"""Batches that travel once more with the next one, in case the browser drew two of them as one."""
TAIL = 8
"""Log lines on the overview."""


@dataclass(frozen=True, slots=True)
class Point:
    """One metric record."""

    seq: int
    step: int
    values: dict[str, float]


class Item(NamedTuple):
    """One point of one curve; travels as a short list."""

    step: int
    series: str
    value: float


@dataclass(frozen=True, slots=True)
class Batch:
    """What a chart gets at once: the records `first_seq` to `seq`; 0: nothing yet."""

    seq: int = 0
    first_seq: int = 0
    items: tuple[Item, ...] = ()


@dataclass
class News:
    """What one group of records says."""

    points: list[Point] = field(default_factory=list)
    logs: list[LogLine] = field(default_factory=list)
    system: list[dict[str, Any]] = field(default_factory=list)
    """Samples of the machine under the run."""
    progress: dict[str, Any] | None = None
    status_changed: bool = False
    """True: the ledger says something new of the job."""
    gap: bool = False


class Follower:
    """Knows up to which record a page has seen its job. One a tab; never travels. No dataclass: see `Tally`."""

    def __init__(self, seq: int = 0) -> None:
        self.seq = seq
        self.tally = Tally.empty()
        self.told = 0
        """The last record that travelled to the charts; 0: the history did the telling so far."""
        self.sent: list[tuple[int, list[Item]]] = []
        """The newest batches, each with its first record's number."""

    def take(self, records: Iterable[dict[str, Any]]) -> News:
        """Sorts a group of live records; older ones than the history already told are left out."""
        news = News()
        for record in records:
            kind = record.get("kind")
            if kind == "gap":
                news.gap = True
                continue
            if kind in ("status", "noted"):
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
            if record.get("total"):
                news.progress = record
        elif kind == "log":
            level = str(record.get("level") or "info")
            news.logs.append(
                LogLine(str(record.get("t") or ""), LEVELS.get(level, level), str(record.get("message") or ""))
            )
        elif kind == "progress":
            news.progress = record
        elif kind == "system":
            news.system.append(record)

    def batch(self, points: list[Point]) -> Batch:
        """The new points, with the few batches before them."""
        fresh = [Item(point.step, name, value) for point in points for name, value in point.values.items()]
        # The first batch follows the history, which holds everything before it.
        self.sent = [*self.sent[-OVERLAP:], (self.told + 1, fresh)]
        self.told = points[-1].seq
        return Batch(self.told, self.sent[0][0], tuple(item for _, part in self.sent for item in part))


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
        values,
    )
