"""Watches one trainer: stores its measurements in SQL, passes a stop on, and ends it when the job is no longer its own.

It runs in the job process. The lease beats from a thread of its own (`jobs/processes/lease.py`).
"""

import contextlib
import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from functools import partial
from pathlib import Path
from typing import Any

import structlog
from sqlmodel import Session

from jobs.processes.lease import Lease
from jobs.runs.isolation import IsolationWatch
from jobs.runs.log_capture import RunLog
from jobs.runs.progress import keep_notes_and_samples
from jobs.runs.stop_report import overdue_sentence
from jobs.runs.trainer_process import TrainerProcess
from orchestrator.domain.failures import FailureKind
from orchestrator.domain.job_files import CHECKPOINTS, METRICS, RESULT
from orchestrator.domain.live_records import RunRecord, Stage
from orchestrator.domain.redis_keys import job_stop
from orchestrator.domain.training_jobs import ON_WORKER, JobStatus, TrainingJob
from orchestrator.services.attempts.checkpoints import step_of_name, take_in_newest
from orchestrator.services.db import DATABASE_AWAY, session_scope, when_available, why_away
from orchestrator.services.metrics.ingest import MetricsFile, merge_summary, store
from orchestrator.services.metrics.rollups import newest_seq
from orchestrator.services.training.lifecycle import add_trainer_notes, mark_running, report_progress

log = structlog.get_logger()
_POLL_S = 0.2
_STORE_EVERY_S = 1.0
_SHUTDOWN_WAIT_S = 5.0
"""How long the end of a run waits for a database that is away when the worker shuts down."""


class End(Enum):
    """Why a trainer is no longer watched."""

    EXITED = auto()
    """It ended by itself, well or not."""
    STOPPED = auto()
    """It was asked to stop, and ended by itself or by force."""
    SUSPENDED = auto()
    """The worker shuts down."""
    ISOLATED = auto()
    """It reached neither Redis nor the database for too long, so that it saved a checkpoint and ended."""
    FENCED = auto()
    """The job belongs to a newer attempt, or is no longer held by any."""


@dataclass(slots=True)
class Supervisor:
    """Watches one attempt.

    Attributes:
        grace_s: seconds from the request to stop to the forced end.
        suspended: set by the handler of SIGTERM: the worker shuts down.
        metrics_start: bytes of the records' file that hold those of earlier attempts.
        forced: the trainer did not stop in time and was killed.
    """

    job_id: int
    attempt: int
    folder: Path
    trainer: TrainerProcess
    lease: Lease
    run_log: RunLog
    grace_s: float
    isolation: IsolationWatch | None = None
    metrics_start: int = 0
    suspended: bool = False
    forced: bool = False
    stage: Stage = Stage.LOADING
    """What the trainer does, by its own records."""
    _metrics: MetricsFile = field(init=False)
    _found_checkpoints: frozenset[str] = frozenset()
    """Names in the folder of checkpoints, as last seen."""
    _counted_checkpoints: frozenset[str] = frozenset()
    """The same when they were last taken in."""
    _status: JobStatus = JobStatus.STARTING
    _stored_seq: int = -1
    _marked_running: bool = False
    _stop_asked_at: float = 0.0
    _next_store_at: float = 0.0
    _database_away: bool = False
    _first: tuple[float, int] | None = None
    """When this attempt's first step was seen, and which one it was."""

    def __post_init__(self) -> None:
        self._metrics = MetricsFile(self.folder / METRICS, self.metrics_start)

    def follow(self) -> tuple[End, int]:
        """Returns when the trainer has ended: why, and its exit code."""
        stopping = False
        while True:
            code = self.trainer.wait(_POLL_S)
            if self.lease.fenced or not self._store_measurements():
                self.trainer.kill()
                return End.FENCED, self._code_after_kill()
            if code is not None:
                return self._end(stopping), code
            stopping = stopping or self._stop_requested()
            if stopping or self.suspended:
                self._stop_trainer()

    def wait_for_database(self) -> End | None:
        """After the end of an isolated trainer: waits, without a limit, until the database says who has the job.

        Nothing is written meanwhile, and nothing holds a GPU.

        Returns:
            None when this attempt still has the job, so that it may go on; else why not.
        """
        store = partial(self._store_in_transaction, [])
        try:
            own = when_available(store, lambda _waited_s: self.lease.fenced or self.suspended)
        except DATABASE_AWAY:
            return End.FENCED if self.lease.fenced else End.SUSPENDED
        if not own:
            return End.FENCED
        if self.suspended:
            return End.SUSPENDED
        return End.STOPPED if self._status is JobStatus.STOPPING else None

    def watch_next(self, trainer: TrainerProcess, isolation: IsolationWatch) -> None:
        """From now on this trainer of the same attempt is watched, which goes on from the last checkpoint."""
        self.trainer, self.isolation = trainer, isolation
        self.forced, self._stop_asked_at, self._first = False, 0.0, None
        self.stage = Stage.LOADING

    def _end(self, stopping: bool) -> End:
        if self.suspended:
            return End.SUSPENDED
        if self._is_isolated():
            return End.ISOLATED
        return End.STOPPED if stopping else End.EXITED

    def _is_isolated(self) -> bool:
        return self.isolation is not None and self.isolation.isolated

    def store_remaining(self) -> None:
        """Stores what the trainer recorded until its end."""
        for _ in range(1_000):
            records = self._metrics.read()
            if not when_available(partial(self._store_in_transaction, records), self.gives_up):
                return
            self._settle(records)
            if not records:
                return

    def gives_up(self, waited_s: float) -> bool:
        """Whether to stop waiting for a database that is away: only when this attempt or its worker has to end.

        No trainer runs any more. Where only this host is cut off, the database says that another worker has the job.
        """
        return self.lease.fenced or (self.suspended and waited_s > _SHUTDOWN_WAIT_S)

    def _code_after_kill(self) -> int:
        code = self.trainer.wait(5.0)
        return -9 if code is None else code

    def _stop_requested(self) -> bool:
        return self._status is JobStatus.STOPPING or self.lease.flag(job_stop(self.job_id))

    def _stop_trainer(self) -> None:
        """Asks it to stop, once; kills it when the grace is over."""
        now = time.monotonic()
        if not self._stop_asked_at:
            self._stop_asked_at = now
            self.trainer.ask_to_stop()
        elif now - self._stop_asked_at > self.grace_s and not self.forced:
            self.forced = True
            sentence = overdue_sentence(self.stage, self.grace_s)
            self.run_log.write(sentence, "warning")
            self.trainer.kill()
            self._note_forced_stop(sentence)

    def _note_forced_stop(self, sentence: str) -> None:
        if self.suspended:
            return
        with contextlib.suppress(*DATABASE_AWAY), session_scope() as session:
            add_trainer_notes(session, self.job_id, self.attempt, [("stopping", sentence)])

    def _store_measurements(self) -> bool:
        """Brings new records into SQL, once a second. False when this attempt no longer holds the job."""
        now = time.monotonic()
        records = self._metrics.read() if now >= self._next_store_at or not self._marked_running else []
        if now < self._next_store_at and not records:
            return True
        self._next_store_at = now + _STORE_EVERY_S
        try:
            own = self._store_in_transaction(records)
        except DATABASE_AWAY as error:
            # The file keeps everything, and the next call reads it again.
            if not self._database_away:
                log.warning("supervisor.database_away", job=self.job_id, error=why_away(error))
            self._database_away = True
            self._metrics.rewind()
            return True
        if self._database_away:
            log.info("supervisor.database_back", job=self.job_id)
        self._database_away = False
        return self._settle(records) if own else False

    def _store_in_transaction(self, records: list[RunRecord]) -> bool:
        """Writes new records of this attempt. False when it no longer holds the job."""
        with session_scope() as session:
            if self._stored_seq < 0:
                self._stored_seq = newest_seq(session, self.job_id)
            own = [r for r in records if r["attempt"] == self.attempt]
            new = [r for r in own if r["seq"] > self._stored_seq or r["kind"] == "progress"]
            job = session.get(TrainingJob, self.job_id)
            # A host that slept wakes to a job that was given back or ended: what it trained on would be lost work.
            if job is None or job.attempt != self.attempt or job.status not in ON_WORKER:
                return False
            self._status = job.status
            if new:
                self._update_job(session, job, new)
            self._take_in_checkpoints(session)
        return True

    def _settle(self, records: list[RunRecord]) -> bool:
        """The records are in SQL, and the checkpoints count."""
        if self.isolation:
            self.isolation.database_reached()
        self._counted_checkpoints = self._found_checkpoints
        self._metrics.settle()
        self._marked_running = self._marked_running or any(r["attempt"] == self.attempt for r in records)
        self._stored_seq = max([self._stored_seq, *(r["seq"] for r in records)])
        return True

    def _update_job(self, session: Session, job: TrainingJob, records: list[RunRecord]) -> None:
        batch = store(session, self.job_id, records)
        self._note_stage(records)
        if not self._marked_running:
            mark_running(session, self.job_id, self.attempt, batch.total)
        # A resumed trainer first reports step 0, before it has found its checkpoint.
        changes: dict[str, Any] = {"step": batch.step, "epoch": batch.epoch} if batch.step else {}
        if batch.total:
            changes["total_steps"] = batch.total
        eta_s = self._eta(batch.step, batch.total or job.total_steps)
        summary = merge_summary(job.summary, batch, eta_s)
        changes["summary"] = keep_notes_and_samples(session, self.job_id, self.attempt, records, summary)
        report_progress(session, self.job_id, self.attempt, **changes)

    def _note_stage(self, records: list[RunRecord]) -> None:
        for record in records:
            if record["kind"] == "progress" and "stage" in record:
                self.stage = stage_of(record["stage"]) or self.stage

    def _take_in_checkpoints(self, session: Session) -> None:
        """Counts new checkpoints; while the database is away they wait on disk."""
        with contextlib.suppress(OSError):
            names = os.listdir(self.folder / CHECKPOINTS)
            self._found_checkpoints = frozenset(filter(step_of_name, names))
        if self._found_checkpoints - self._counted_checkpoints:
            take_in_newest(session, self.job_id, self.attempt)

    def _eta(self, step: int, total: int) -> float | None:
        """Seconds to go at the pace since this attempt's first step."""
        if self._first is None:
            self._first = (time.monotonic(), step)
            return None
        seconds, steps = time.monotonic() - self._first[0], step - self._first[1]
        return round(seconds / steps * max(0, total - step), 1) if steps > 0 and total else None


def read_result(folder: Path, attempt: int) -> dict[str, Any]:
    """What the trainer wrote at its end; {} when it wrote nothing in this attempt."""
    try:
        result = json.loads((folder / RESULT).read_text())
    except (OSError, ValueError):
        return {}
    return result if isinstance(result, dict) and result.get("attempt", attempt) == attempt else {}


def stage_of(word: object) -> Stage | None:
    """The stage that a trainer names; None where it names none."""
    return Stage(word) if word in set(Stage) else None


def failure_of(result: Mapping[str, Any]) -> FailureKind | None:
    """Why the trainer says that it failed; None where it says nothing, as one that was killed."""
    word = result.get("failure")
    return FailureKind(word) if word in set(FailureKind) else None
