"""Numbers a run's records and hands each to every sink."""

import math
from collections.abc import Sequence
from datetime import UTC, datetime

from jobs.sinks.protocol import Sink
from orchestrator.domain.live_records import Head, LogLevel, Phase, ProgressRecord, RunRecord, Stage
from orchestrator.domain.run_summary import Prediction


class Recorder:
    """Everything that a trainer reports goes through one of these. `seq` rises by one a record, across attempts."""

    def __init__(
        self, job_id: int, attempt: int, sinks: Sequence[Sink], first_seq: int = 0, quiet: bool = False
    ) -> None:
        """
        Args:
            first_seq: the number of the newest record of earlier attempts.
            quiet: print errors only; another process of the same run prints the rest.
        """
        self._quiet = quiet
        self._job_id, self._attempt, self._sinks = job_id, attempt, list(sinks)
        self.seq = first_seq
        """The number of the newest record."""

    def metric(self, step: int, total: int, epoch: float, values: dict[str, float], phase: Phase = "train") -> None:
        """Records values measured at an optimizer step, without those that are not finite: no page could draw them."""
        finite = {name: float(value) for name, value in values.items() if math.isfinite(value)}
        self._record(
            {
                **self._head(),
                "kind": "metric",
                "step": step,
                "total": total,
                "epoch": round(epoch, 4),
                "phase": phase,
                "values": finite,
            }
        )

    def progress(self, step: int, total: int, epoch: float, message: str = "", stage: Stage | None = None) -> None:
        """Records where the run stands; `stage`: what it begins to do now."""
        record: ProgressRecord = {
            **self._head(),
            "kind": "progress",
            "step": step,
            "total": total,
            "epoch": round(epoch, 4),
            "message": message,
        }
        if stage is not None:
            record["stage"] = stage.value
        self._record(record)

    def samples(self, step: int, epoch: float, rows: Sequence[Prediction]) -> None:
        """Records what the model makes of some validation clips at this step; rows as `samples` of a run summary."""
        samples = [row.to_json() for row in rows]
        self._record({**self._head(), "kind": "samples", "step": step, "epoch": round(epoch, 4), "samples": samples})

    def log(self, message: str, level: LogLevel = "info") -> None:
        """Prints a line for the job's log: the worker (or the terminal) reads what a trainer prints."""
        if self._quiet and level != "error":
            return
        print(f"{level.upper()}: {message}" if level != "info" else message, flush=True)  # noqa: T201

    def note(self, message: str, name: str) -> None:
        """Records a sentence that the job keeps: in its log, in its timeline and in its summary.

        Args:
            name: the kind of the timeline's line; a later note of the same name replaces the earlier one.
        """
        self.log(message)
        self._record({**self._head(), "kind": "note", "name": name, "message": message})

    def close(self) -> None:
        """Closes every sink."""
        for sink in self._sinks:
            sink.close()

    def _head(self) -> Head:
        self.seq += 1
        return {"job": self._job_id, "attempt": self._attempt, "seq": self.seq, "t": datetime.now(UTC).isoformat()}

    def _record(self, record: RunRecord) -> None:
        for sink in self._sinks:
            sink.put(record)
