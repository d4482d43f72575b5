"""The horse's whole work: watches one trainer, beats its lease, writes its measurements to SQL, passes a stop on."""

import contextlib
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy.exc import OperationalError
from sqlmodel import Session

from jobs.processes.lease import Lease
from jobs.runs.log_capture import RunLog
from jobs.runs.trainer_process import TrainerProcess
from orchestrator.domain.failures import FailureKind
from orchestrator.domain.live_records import RunRecord
from orchestrator.domain.redis_keys import job_stop
from orchestrator.domain.run_summary import Prediction, RunSummary
from orchestrator.domain.training_jobs import ON_WORKER, JobStatus, TrainingJob
from orchestrator.services.db import session_scope
from orchestrator.services.metrics.ingest import MetricsFile, merge_summary, store, with_prediction_history
from orchestrator.services.metrics.rollups import newest_seq
from orchestrator.services.training.lifecycle import add_trainer_notes, mark_running, report_progress

log = structlog.get_logger()
_TICK_S = 0.2
_LEDGER_S = 1.0


class End(Enum):
    """Why the watch is over."""

    EXITED = auto()
    STOPPED = auto()
    """It was asked to stop, and ended politely or by force."""
    SUSPENDED = auto()
    """The worker is shutting down."""
    FENCED = auto()
    """A newer attempt, or nobody, holds the job now."""


@dataclass(slots=True)
class Supervisor:
    """One run under watch. `grace_s`: seconds from the polite stop to the forced one."""

    job_id: int
    attempt: int
    folder: Path
    trainer: TrainerProcess
    lease: Lease
    run_log: RunLog
    grace_s: float
    suspended: bool = False
    """Set by the horse's SIGTERM handler."""
    forced: bool = False
    _metrics: MetricsFile = field(init=False)
    _status: JobStatus = JobStatus.STARTING
    _seen_seq: int = -1
    _running: bool = False
    _stop_asked: float = 0.0
    _next_ledger: float = 0.0
    _first: tuple[float, int] | None = None

    def __post_init__(self) -> None:
        self._metrics = MetricsFile(self.folder / "metrics.jsonl")

    def follow(self) -> tuple[End, int]:
        """Returns when the trainer has ended: why, and its exit code."""
        stopping = False
        while True:
            code = self.trainer.wait(_TICK_S)
            if self.lease.fenced or not self._ledger():
                self.trainer.kill()
                return End.FENCED, self._code()
            if code is not None:
                end = End.SUSPENDED if self.suspended else End.STOPPED if stopping else End.EXITED
                return end, code
            stopping = stopping or self._stop_wanted()
            if stopping or self.suspended:
                self._press()

    def drain(self) -> None:
        """Brings the rest of the measurements into SQL after the end."""
        for _ in range(1_000):
            self._next_ledger = 0.0
            before = self._metrics.position
            if not self._ledger() or self._metrics.position == before:
                return

    def _code(self) -> int:
        code = self.trainer.wait(5.0)
        return -9 if code is None else code

    def _stop_wanted(self) -> bool:
        return self._status is JobStatus.STOPPING or self.lease.flag(job_stop(self.job_id))

    def _press(self) -> None:
        """Asks politely once; by force when the grace is over."""
        now = time.monotonic()
        if not self._stop_asked:
            self._stop_asked = now
            self.trainer.ask_to_stop()
        elif now - self._stop_asked > self.grace_s and not self.forced:
            self.forced = True
            self.run_log.write(f"No answer for {self.grace_s:.0f} s: the training is ended by force.", "warning")
            self.trainer.kill()
            self._tell_force()

    def _tell_force(self) -> None:
        if self.suspended:
            return
        with contextlib.suppress(OperationalError), session_scope() as session:
            said = f"The step did not end within {self.grace_s:.0f} s: ended by force."
            add_trainer_notes(session, self.job_id, self.attempt, [("stopping", said)])

    def _ledger(self) -> bool:
        """Once a second: measurements and progress into SQL. False when this attempt no longer holds the job."""
        now = time.monotonic()
        records = self._metrics.read() if now >= self._next_ledger or not self._running else []
        if now < self._next_ledger and not records:
            return True
        self._next_ledger = now + _LEDGER_S
        try:
            return self._write(records)
        except OperationalError as error:
            # The database is busy or away: the file keeps everything, the next tick reads it again.
            log.warning("watch.ledger_busy", job=self.job_id, error=str(error.orig))
            self._metrics.rewind()
            return True

    def _write(self, records: list[RunRecord]) -> bool:
        with session_scope() as session:
            if self._seen_seq < 0:
                self._seen_seq = newest_seq(session, self.job_id)
            fresh = [r for r in records if r["seq"] > self._seen_seq or r["kind"] == "progress"]
            job = session.get(TrainingJob, self.job_id)
            # A host that slept wakes to a job that was given back or ended: what it trained on would be lost work.
            if job is None or job.attempt != self.attempt or job.status not in ON_WORKER:
                return False
            self._status = job.status
            if fresh:
                facts = store(session, self.job_id, fresh)
                mine = [r for r in fresh if r["attempt"] == self.attempt]
                if mine and not self._running:
                    self._running = True
                    mark_running(session, self.job_id, self.attempt, facts.total)
                # A resumed trainer first says step 0, before it has found its checkpoint.
                changes: dict[str, Any] = {"step": facts.step, "epoch": facts.epoch} if facts.step else {}
                if facts.total:
                    changes["total_steps"] = facts.total
                eta_s = self._eta(facts.step, facts.total or job.total_steps)
                changes["summary"] = self._remark(session, mine, merge_summary(job.summary, facts, eta_s))
                report_progress(session, self.job_id, self.attempt, **changes)
        self._metrics.settle()
        self._seen_seq = max([self._seen_seq, *(r["seq"] for r in records)])
        return True

    def _remark(self, session: Session, records: list[RunRecord], summary: RunSummary) -> RunSummary:
        """What the trainer noted stays with the job: one sentence a name in its summary, each in its timeline.

        So does what it makes of some clips, evaluation by evaluation.
        """
        said = [(r["name"], r["message"]) for r in records if r["kind"] == "note"]
        shown = [r for r in records if r["kind"] == "samples"]
        for record in shown:
            rows = [Prediction.from_json(row) for row in record["samples"]]
            summary = with_prediction_history(summary, rows, record["epoch"])
        if said:
            summary = summary.merged(RunSummary(notes={**summary.notes, **dict(said)}))
        if said or shown:
            add_trainer_notes(session, self.job_id, self.attempt, said)
        return summary

    def _eta(self, step: int, total: int) -> float | None:
        """Seconds to go at the pace since the first step that was seen."""
        if self._first is None:
            self._first = (time.monotonic(), step)
            return None
        seconds, steps = time.monotonic() - self._first[0], step - self._first[1]
        return round(seconds / steps * max(0, total - step), 1) if steps > 0 and total else None


def read_result(folder: Path, attempt: int) -> dict[str, Any]:
    """What the trainer wrote at its end; {} when it wrote nothing in this attempt."""
    try:
        result = json.loads((folder / "result.json").read_text())
    except (OSError, ValueError):
        return {}
    return result if isinstance(result, dict) and result.get("attempt", attempt) == attempt else {}


def failure_of(result: Mapping[str, Any]) -> FailureKind | None:
    """The word of why the trainer says it failed; None where it wrote none, as a trainer that was killed."""
    word = result.get("failure")
    return FailureKind(word) if word in set(FailureKind) else None
