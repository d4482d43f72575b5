"""Tells the live records of a job's current attempt from those of attempts that were fenced off or have ended."""

from collections import OrderedDict

from orchestrator.domain.live_records import RUN_KINDS, LiveRecord
from orchestrator.domain.training_jobs import ON_WORKER

_MAX_JOBS = 10_000


class CurrentAttempts:
    """Learns each job's current attempt from the records themselves, in the order in which they arrive."""

    def __init__(self) -> None:
        self._jobs: OrderedDict[int, tuple[int, bool]] = OrderedDict()
        """By job: its newest attempt, and whether that one has ended."""

    def accept(self, record: LiveRecord) -> bool:
        """False for what a trainer records or prints without holding its job any more."""
        if record["kind"] == "status":
            self._learn(record["job"], record["attempt"], record["status"] not in ON_WORKER)
            return True
        if record["kind"] not in RUN_KINDS and record["kind"] != "log":
            return True
        newest, ended = self._jobs.get(record["job"], (0, False))
        if record["attempt"] > newest:
            self._learn(record["job"], record["attempt"], False)
            return True
        return record["attempt"] == newest and not ended

    def _learn(self, job: int, attempt: int, ended: bool) -> None:
        if attempt < self._jobs.get(job, (0, False))[0]:
            return
        self._jobs[job] = (attempt, ended)
        self._jobs.move_to_end(job)
        if len(self._jobs) > _MAX_JOBS:
            self._jobs.popitem(last=False)
