"""One attempt of one training job, in its own process: claim it, start the trainer, watch it, record how it ended."""

import contextlib
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import structlog
from sqlmodel import Session

from jobs.processes.lease import Lease
from jobs.runs.crash_report import explain_crash, oom_kill_count
from jobs.runs.isolation import IsolationWatch
from jobs.runs.log_capture import RunLog
from jobs.runs.progress import store_earlier_records
from jobs.runs.spec import TrainSpec
from jobs.runs.spec_writer import MissingInput, unwritable, write_spec
from jobs.runs.stop_report import forced_sentence, stopped_sentence
from jobs.runs.supervisor import End, Supervisor, failure_of, read_result, stage_of
from jobs.runs.trainer_process import PrewarmedTrainer, TrainerProcess
from jobs.telemetry.sampler import Sampler
from orchestrator.domain import formatting
from orchestrator.domain.failures import FailureKind
from orchestrator.domain.job_files import LOG, RESULT
from orchestrator.domain.live_records import Stage
from orchestrator.domain.redis_keys import job_lease
from orchestrator.domain.run_summary import RunSummary
from orchestrator.domain.training_jobs import JobStatus, TrainingJob
from orchestrator.redaction import redact_text
from orchestrator.services.attempts.checkpoints import hold_job, saved_step, take_in_checkpoints
from orchestrator.services.attempts.ended import start_attempt
from orchestrator.services.db import DATABASE_AWAY, session_scope, when_available, why_away
from orchestrator.services.metrics.ingest import with_prediction_history
from orchestrator.services.training import lifecycle
from orchestrator.services.training.lifecycle import add_trainer_notes
from orchestrator.settings import get_settings

log = structlog.get_logger()


def run_attempt(job_id: int, attempt: int, worker: str, prewarmed: PrewarmedTrainer | None = None) -> str:
    """Trains the job once.

    Returns:
        How it ended, for the worker's log: completed, stopped, suspended, lost, failed, fenced, or
        "not ours" when another worker has the job or it was stopped while it waited.
    """
    settings = get_settings()
    # It beats before the claim: the controller takes a claimed job without a lease for one whose worker is dead.
    lease = Lease(job_lease(job_id), attempt)
    lease.keep()
    if not _in_transaction(lambda s: lifecycle.claim(s, job_id, attempt, worker)):
        lease.leave()
        return "not ours"
    try:
        folder = _in_transaction(lambda s: start_attempt(s, job_id, attempt))
        spec, gpus = when_available(lambda: write_spec(job_id, attempt, folder, settings))
    except (MissingInput, OSError) as error:
        return _fail_at_start(job_id, attempt, lease, error)
    earlier = _in_transaction(lambda s: store_earlier_records(s, job_id, attempt, folder))
    run_log = RunLog(folder / LOG, job_id, attempt)
    run_log.write(f"Attempt {attempt} on {worker}.")
    oom_kills = oom_kill_count()
    trainer = _start_trainer(spec, gpus, prewarmed)
    isolation = _isolation_watch(trainer, lease)
    supervisor = Supervisor(
        job_id, attempt, folder, trainer, lease, run_log, settings.stop_grace_s, isolation, metrics_start=earlier
    )
    _suspend_on_sigterm(supervisor)
    try:
        end, code = _follow_to_the_end(supervisor, spec, gpus)
    except OSError as error:
        return _fail_at_start(job_id, attempt, lease, error)
    if end is End.FENCED:
        return "fenced"
    try:
        supervisor.store_remaining()
        outcome = _record_end(supervisor, end, code, oom_kill_count() - oom_kills)
    except DATABASE_AWAY as error:
        log.warning("attempt.end_not_recorded", error=why_away(error))  # the controller notices its expired lease
        return "not recorded"
    lease.release()
    return outcome


def _fail_at_start(job_id: int, attempt: int, lease: Lease, error: MissingInput | OSError) -> str:
    """Something that a trainer needs is not there, or its folder cannot be written."""
    missing = error if isinstance(error, MissingInput) else unwritable(error)
    _in_transaction(lambda s: lifecycle.fail(s, job_id, attempt, missing.kind, missing.sentence))
    lease.release()
    return "failed"


def _follow_to_the_end(supervisor: Supervisor, spec: Path, gpus: int) -> tuple[End, int]:
    """Watches the trainer, and the next one of the same attempt after each that ended because it was cut off.

    Returns:
        Why the last one ended, and its exit code.

    Raises:
        OSError: the spec of the next one could not be written.
    """
    while True:
        end, code = _follow(supervisor, gpus)
        if end is not End.ISOLATED or _is_complete(supervisor, code):
            return end, code
        began = time.monotonic()
        if other := supervisor.wait_for_database():
            return other, code
        _restart_trainer(supervisor, spec, gpus, time.monotonic() - began)


def _follow(supervisor: Supervisor, gpus: int) -> tuple[End, int]:
    """Watches one trainer to its end, and ends what it leaves behind."""
    trainer, run_log = supervisor.trainer, supervisor.run_log
    run_log.follow(trainer.output)
    sampler = Sampler(supervisor.folder, supervisor.job_id, trainer.pid, gpus)
    if get_settings().telemetry:
        sampler.start()
    if supervisor.isolation:
        supervisor.isolation.start()
    ended = supervisor.follow()
    if supervisor.isolation:
        supervisor.isolation.stop()
    sampler.stop()
    trainer.kill()
    run_log.join()
    return ended


def _is_complete(supervisor: Supervisor, code: int) -> bool:
    return code == 0 and read_result(supervisor.folder, supervisor.attempt).get("status") == "completed"


def _restart_trainer(supervisor: Supervisor, spec: Path, gpus: int, waited_s: float) -> None:
    """Lets a new trainer go on from the checkpoint that the isolated one saved, in the same attempt."""
    text = (
        "Neither Redis nor the database answered, so the training saved a checkpoint and paused. "
        f"It goes on after {formatting.duration(waited_s)}."
    )
    supervisor.run_log.write(text)
    (supervisor.folder / RESULT).unlink(missing_ok=True)
    replace(TrainSpec.load(spec), restarted=True).save(spec)
    trainer = _start_trainer(spec, gpus)
    supervisor.watch_next(trainer, _isolation_watch(trainer, supervisor.lease))
    note = partial(add_trainer_notes, job_id=supervisor.job_id, attempt=supervisor.attempt, notes=[("waited", text)])
    with contextlib.suppress(*DATABASE_AWAY):
        _in_transaction(note, supervisor)


def _isolation_watch(trainer: TrainerProcess, lease: Lease) -> IsolationWatch:
    settings = get_settings()
    return IsolationWatch(trainer, lambda: lease.reached_at, settings.isolation_limit_s, settings.stop_grace_s)


def _start_trainer(spec: Path, gpus: int, prewarmed: PrewarmedTrainer | None = None) -> TrainerProcess:
    if prewarmed and gpus <= 1:
        return TrainerProcess.take_over(prewarmed, spec)
    if prewarmed:
        prewarmed.kill()  # it can train on one device only
    return TrainerProcess.start(spec, processes=max(1, gpus))


def _record_end(supervisor: Supervisor, end: End, code: int, oom_kills: int) -> str:
    """Moves the job to its end status, and says which."""
    job_id, attempt = supervisor.job_id, supervisor.attempt
    result = read_result(supervisor.folder, attempt)
    if _is_complete(supervisor, code):
        return _complete(supervisor, result)
    if end is End.STOPPED or (end is End.EXITED and code == 0 and result.get("status") == "stopped"):
        return _record_stop(supervisor, end, result)
    if end is End.SUSPENDED:
        reason = "Worker shut down."
        _in_transaction(lambda s: lifecycle.mark_lost(s, job_id, attempt, reason, counts=False), supervisor)
        return "suspended"
    crash = explain_crash(code, list(supervisor.run_log.last), oom_kills)
    if crash.kind is FailureKind.MACHINE_LOST:
        _in_transaction(lambda s: lifecycle.mark_lost(s, job_id, attempt, crash.sentence), supervisor)
        return "lost"
    unexplained = "The training ended without a result." if code == 0 else crash.sentence
    sentence = redact_text(str(result.get("error") or unexplained))
    details = redact_text(str(result.get("details") or crash.details))
    kind = failure_of(result) or crash.kind
    supervisor.run_log.write(sentence, "error")
    _in_transaction(lambda s: lifecycle.fail(s, job_id, attempt, kind, sentence, details), supervisor)
    return "failed"


def _record_stop(supervisor: Supervisor, end: End, result: dict[str, Any]) -> str:
    """Moves the job to stopped, or back to the queue where no person asked its trainer to end."""
    job_id, attempt = supervisor.job_id, supervisor.attempt

    def write(session: Session) -> str:
        job = session.get(TrainingJob, job_id, populate_existing=True)
        # A trainer that reads the request in Redis itself may end before its supervisor has seen it.
        if job and job.status is not JobStatus.STOPPING and end is End.EXITED:
            lifecycle.mark_lost(session, job_id, attempt, "The training process was asked to end from outside.")
            return "lost"
        _merge_summary(session, job_id, attempt, result)
        if hold_job(session, job_id, attempt):
            take_in_checkpoints(session, job_id, attempt)
        saved, total = saved_step(session, job_id), job.total_steps if job else 0
        lifecycle.mark_stopped(session, job_id, attempt, _stop_sentence(supervisor, result, saved, total))
        return "stopped"

    return _in_transaction(write, supervisor)


def _stop_sentence(supervisor: Supervisor, result: dict[str, Any], saved: int, total: int) -> str:
    if supervisor.forced:
        return forced_sentence(supervisor.stage, saved, total)
    if error := str(result.get("error") or ""):
        return f"Stopped. Before it ended it failed: {redact_text(error)}"
    stage = stage_of(result.get("stage")) or (supervisor.stage if result.get("status") != "stopped" else Stage.TRAINING)
    return stopped_sentence(stage, saved, total)


def _complete(supervisor: Supervisor, result: dict[str, Any]) -> str:
    job_id, attempt = supervisor.job_id, supervisor.attempt

    def write(session: Session) -> bool:
        lifecycle.mark_running(session, job_id, attempt, 0)  # a run of one second was not yet marked
        _merge_summary(session, job_id, attempt, result)
        return lifecycle.complete(session, job_id, attempt)

    _in_transaction(write, supervisor)
    return "completed"


def _merge_summary(session: Session, job_id: int, attempt: int, result: dict[str, Any]) -> bool:
    """Adds the trainer's own summary (confusion matrix, best values) to what was stored while it ran."""
    job = session.get(TrainingJob, job_id, populate_existing=True)
    if job is None:
        return False
    final = RunSummary.from_json(result.get("summary"))
    summary = job.summary.merged(final).merged(RunSummary(eta_s=None))
    if final.samples:
        history = with_prediction_history(job.summary, final.samples, job.epoch).samples
        summary = summary.merged(RunSummary(samples=history))
    lifecycle.report_progress(session, job_id, attempt, summary=summary)
    return True


def _suspend_on_sigterm(supervisor: Supervisor) -> None:
    def handler(_signum: int, _frame: object) -> None:
        supervisor.suspended = True

    signal.signal(signal.SIGTERM, handler)


def _in_transaction(action: Callable[[Session], Any], supervisor: Supervisor | None = None) -> Any:
    """Runs one transaction, again while the database is busy or away: the run is over and its end must be recorded."""

    def attempt() -> Any:
        with session_scope() as session:
            return action(session)

    return when_available(attempt, supervisor.gives_up) if supervisor else when_available(attempt)
