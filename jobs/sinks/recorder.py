"""Numbers a run's records and hands each to every sink: the one voice of the trainer."""

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Literal

from jobs.sinks.protocol import Sink


class Recorder:
    """`seq` rises by one with each record of the job, across attempts."""

    def __init__(
        self, job_id: int, attempt: int, sinks: Sequence[Sink], first_seq: int = 0, quiet: bool = False
    ) -> None:
        """`quiet`: only errors are printed; another process of the same run says the rest."""
        self._quiet = quiet
        self._job_id, self._attempt, self._sinks = job_id, attempt, list(sinks)
        self.seq = first_seq
        """The number of the newest record."""

    def metric(
        self,
        step: int,
        total: int,
        epoch: float,
        values: dict[str, float],
        kind: Literal["train", "eval"] = "train",
    ) -> None:
        """Measured values at an optimizer step; those that are not finite are left out: no page could draw them."""
        good = {name: float(value) for name, value in values.items() if math.isfinite(value)}
        self._put("metric", step=step, total=total, epoch=round(epoch, 4), phase=kind, values=good)

    def progress(self, step: int, total: int, epoch: float, message: str = "") -> None:
        """Where the run stands."""
        self._put("progress", step=step, total=total, epoch=round(epoch, 4), message=message)

    def samples(self, step: int, epoch: float, rows: Sequence[dict[str, Any]]) -> None:
        """What the model makes of some held-out clips at this step, as `samples` of a summary."""
        self._put("samples", step=step, epoch=round(epoch, 4), samples=list(rows))

    def log(self, message: str, level: str = "info") -> None:
        """A line for the job's log: printed, since the horse (or the terminal) reads what we print."""
        if self._quiet and level != "error":
            return
        print(f"{level.upper()}: {message}" if level != "info" else message, flush=True)  # noqa: T201

    def note(self, message: str, name: str) -> None:
        """Something of the run that its page says until the end: a line of the log, of the timeline and of the notes.

        `name` is the timeline's kind; a later note of the same name stands in the place of the earlier one.
        """
        self.log(message)
        self._put("note", name=name, message=message)

    def close(self) -> None:
        """Closes every sink."""
        for sink in self._sinks:
            sink.close()

    def _put(self, kind: str, **fields: Any) -> None:
        self.seq += 1
        now = datetime.now(UTC).isoformat()
        record = {"job": self._job_id, "attempt": self._attempt, "seq": self.seq, "t": now, "kind": kind, **fields}
        for sink in self._sinks:
            sink.put(record)
