"""One attempt of one training job, in its own process: claim it, start the trainer, watch it, record how it ended."""

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import structlog
from sqlmodel import Session

from jobs.processes.lease import Lease
from jobs.runs.crash_report import explain_crash, oom_kill_count
from jobs.runs.isolation import IsolationWatch
from jobs.runs.log_capture import RunLog
from jobs.runs.progress import store_earlier_records
from jobs.runs.spec_writer import MissingInput, unwritable, write_spec
from jobs.runs.stop_report import forced_sentence, stopped_sentence
from jobs.runs.supervisor import End, Supervisor, failure_of, read_result, stage_of
from jobs.runs.trainer_process import PrewarmedTrainer, TrainerProcess
from jobs.telemetry.sampler import Sampler
from orchestrator.domain.failures import FailureKind
from orchestrator.domain.job_files import LOG
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
from orchestrator.settings import get_settings

log = structlog.get_logger()


def run_attempt(job_id: int, attempt: int, worker: str, prewarmed: PrewarmedTrainer | None = None) -> str:
    """Trains the job once.

    Returns:
        How it ended, for the worker's log: completed, stopped, suspended, isolated, lost, failed, fenced, or
        "not ours" when another worker has the job or it was stopped while it waited.
    """
    settings = get_settings()
    if not _in_transaction(lambda s: lifecycle.claim(s, job_id, attempt, worker)):
        return "not ours"
    lease = Lease(job_lease(job_id), attempt)
    lease.keep()
    try:
        folder = _in_transaction(lambda s: start_attempt(s, job_id, attempt))
        spec, gpus = when_available(lambda: write_spec(job_id, attempt, folder, settings))
    except (MissingInput, OSError) as error:
        missing = error if isinstance(error, MissingInput) else unwritable(error)
        _in_transaction(lambda s: lifecycle.fail(s, job_id, attempt, missing.kind, missing.sentence))
        lease.release()
        return "failed"
    earlier = _in_transaction(lambda s: store_earlier_records(s, job_id, attempt, folder))
    run_log = RunLog(folder / LOG, job_id, attempt)
    run_log.write(f"Attempt {attempt} on {worker}.")
    oom_kills = oom_kill_count()
    trainer = _start_trainer(spec, gpus, prewarmed)
    run_log.follow(trainer.output)
    isolation = IsolationWatch(trainer, lambda: lease.reached_at, settings.isolation_limit_s, settings.stop_grace_s)
    supervisor = Supervisor(
        job_id, attempt, folder, trainer, lease, run_log, settings.stop_grace_s, isolation, metrics_start=earlier
    )
    _suspend_on_sigterm(supervisor)
    sampler = Sampler(folder, job_id, trainer.pid, gpus)
    if settings.telemetry:
        sampler.start()
    isolation.start()
    end, code = supervisor.follow()
    isolation.stop()
    sampler.stop()
    trainer.kill()  # whatever it started and left behind
    run_log.join()
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


def _start_trainer(spec: Path, gpus: int, prewarmed: PrewarmedTrainer | None) -> TrainerProcess:
    if prewarmed and gpus <= 1:
        return TrainerProcess.take_over(prewarmed, spec)
    if prewarmed:
        prewarmed.kill()  # it can train on one device only
    return TrainerProcess.start(spec, processes=max(1, gpus))


def _record_end(supervisor: Supervisor, end: End, code: int, oom_kills: int) -> str:
    """Moves the job to its end status, and says which."""
    job_id, attempt = supervisor.job_id, supervisor.attempt
    result = read_result(supervisor.folder, attempt)
    if code == 0 and result.get("status") == "completed":
        return _complete(supervisor, result)
    if end is End.STOPPED or (end is End.EXITED and code == 0 and result.get("status") == "stopped"):
        return _record_stop(supervisor, end, result)
    if end is End.ISOLATED:
        reason = "The worker reached neither Redis nor the database, so the training saved a checkpoint and ended."
        _in_transaction(lambda s: lifecycle.mark_lost(s, job_id, attempt, reason, counts=False), supervisor)
        return "isolated"
    if end is End.SUSPENDED:
        reason = "The worker was shut down."
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
