"""One attempt of one training job, in the horse: claim it, write its spec, start the trainer, settle how it ended."""

import errno
import os
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy.exc import OperationalError
from sqlmodel import Session

from jobs.processes.lease import Lease
from jobs.runs.crash_report import explain, oom_kill_count
from jobs.runs.log_capture import RunLog
from jobs.runs.spec import ClipSpec, TrainSpec
from jobs.runs.supervisor import End, Supervisor, failure_of, read_result
from jobs.runs.trainer_process import PrewarmedTrainer, TrainerProcess
from jobs.telemetry.device import find_device, visible_gpus
from jobs.telemetry.sampler import Sampler
from orchestrator.domain.datasets import Clip, Dataset
from orchestrator.domain.failures import FailureKind
from orchestrator.domain.machines import shape_of
from orchestrator.domain.models import VideoModel
from orchestrator.domain.redis_keys import LIVE_STREAM, STREAM_MAXLEN, job_lease, job_stop, job_stream
from orchestrator.domain.run_summary import RunSummary
from orchestrator.domain.tasks import TASK_OF_MODEL, TASKS
from orchestrator.domain.training_jobs import TrainingJob
from orchestrator.redaction import redact_text
from orchestrator.services.datasets.curation.versions import clips_at
from orchestrator.services.db import session_scope
from orchestrator.services.metrics.ingest import with_prediction_history
from orchestrator.services.training import lifecycle
from orchestrator.settings import Settings, get_settings

log = structlog.get_logger()
_PATIENCE_S = 120.0
"""How long the end of a run waits for a database that is busy or away."""


def run_attempt(job_id: int, attempt: int, worker: str, spare: PrewarmedTrainer | None = None) -> str:
    """Trains; returns the word of how it ended, for the worker's log."""
    settings = get_settings()
    if not _patiently(lambda s: lifecycle.claim(s, job_id, attempt, worker)):
        return "not ours"  # somebody has it, or it was stopped while it waited
    folder = settings.jobs_dir / str(job_id)
    lease, run_log = Lease(job_lease(job_id), attempt), RunLog(folder / "log.jsonl", job_id, attempt)
    lease.keep()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "result.json").unlink(missing_ok=True)
        spec, gpus = _write_spec(job_id, attempt, folder, settings)
    except (MissingInput, OSError) as error:
        missing = error if isinstance(error, MissingInput) else _unwritable(error)
        _patiently(lambda s: lifecycle.fail(s, job_id, attempt, missing.kind, missing.sentence))
        lease.release()
        return "failed"
    run_log.write(f"Attempt {attempt} on {worker}.")
    ooms = oom_kill_count()
    trainer = _start(spec, gpus, spare)
    run_log.follow(trainer.output)
    watch = Supervisor(job_id, attempt, folder, trainer, lease, run_log, settings.stop_grace_s)
    _suspend_on_sigterm(watch)
    sampler = Sampler(folder, job_id, trainer.pid, gpus)
    if settings.telemetry:
        sampler.start()
    end, code = watch.follow()
    sampler.stop()
    trainer.kill()  # whatever it started and left behind
    run_log.join()
    if end is End.FENCED:
        return "fenced"
    watch.drain()
    word = _settle(watch, end, code, oom_kill_count() - ooms)
    lease.release()
    return word


def _start(spec: Path, gpus: int, spare: PrewarmedTrainer | None) -> TrainerProcess:
    if spare and gpus <= 1:
        return TrainerProcess.take_over(spare, spec)
    if spare:
        spare.kill()  # it can only train alone
    return TrainerProcess.start(spec, processes=max(1, gpus))


class MissingInput(Exception):
    """What a run needs is not there: its dataset, its model, room on the disk. `sentence` is for the job's page."""

    def __init__(self, sentence: str, kind: FailureKind = FailureKind.INPUTS_GONE) -> None:
        super().__init__(sentence)
        self.sentence, self.kind = sentence, kind


def _unwritable(error: OSError) -> MissingInput:
    kind = FailureKind.DISK_FULL if error.errno in (errno.ENOSPC, errno.EDQUOT) else FailureKind.CRASH
    return MissingInput(f"The job's folder could not be written: {error}.", kind)


def _settle(watch: Supervisor, end: End, code: int, oom_kills: int) -> str:
    """Moves the job to its end state and says which."""
    job_id, attempt = watch.job_id, watch.attempt
    result = read_result(watch.folder, attempt)
    status = str(result.get("status") or "")
    if code == 0 and status == "completed":
        return _finish(job_id, attempt, result)
    if end is End.STOPPED:
        how = "Stopped by force; the last checkpoint stays." if watch.forced else "Stopped after the current step."
        _patiently(lambda s: _merge(s, job_id, attempt, result) and lifecycle.mark_stopped(s, job_id, attempt, how))
        return "stopped"
    if end is End.SUSPENDED:
        reason = "The worker was shut down."
        _patiently(lambda s: lifecycle.mark_lost(s, job_id, attempt, reason, counts=False))
        return "suspended"
    verdict = explain(code, list(watch.run_log.last), oom_kills)
    if verdict.kind is FailureKind.MACHINE_LOST:
        _patiently(lambda s: lifecycle.mark_lost(s, job_id, attempt, verdict.sentence))
        return "lost"
    sentence = str(result.get("error") or "") or verdict.sentence
    if code == 0:
        sentence = str(result.get("error") or "The training ended without a result.")
    sentence = redact_text(sentence)
    details = redact_text(str(result.get("details") or "") or verdict.details)
    kind = failure_of(result) or verdict.kind
    watch.run_log.write(sentence, "error")
    _patiently(lambda s: lifecycle.fail(s, job_id, attempt, kind, sentence, details))
    return "failed"


def _finish(job_id: int, attempt: int, result: dict[str, Any]) -> str:
    def write(session: Session) -> bool:
        lifecycle.mark_running(session, job_id, attempt, 0)  # a run of a second was never seen running
        _merge(session, job_id, attempt, result)
        return lifecycle.complete(session, job_id, attempt)

    _patiently(write)
    return "completed"


def _merge(session: Session, job_id: int, attempt: int, result: dict[str, Any]) -> bool:
    """Adds the trainer's own summary (confusion matrix, best values) to what was gathered on the way."""
    job = session.get(TrainingJob, job_id, populate_existing=True)
    if job is None:
        return False
    found = RunSummary.from_json(result.get("summary"))
    summary = job.summary.merged(found).merged(RunSummary(eta_s=None))
    if found.samples:
        history = with_prediction_history(job.summary, found.samples, job.epoch).samples
        summary = summary.merged(RunSummary(samples=history))
    lifecycle.report_progress(session, job_id, attempt, summary=summary)
    return True


def _suspend_on_sigterm(watch: Supervisor) -> None:
    def handler(_signum: int, _frame: object) -> None:
        watch.suspended = True

    signal.signal(signal.SIGTERM, handler)


def _patiently(action: Callable[[Session], Any]) -> Any:
    """Runs one transaction; a database that is busy or away is waited for, since the run itself is already over."""
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        try:
            with session_scope() as session:
                return action(session)
        except OperationalError as error:
            if time.monotonic() > deadline:
                raise
            log.warning("train.ledger_busy", error=str(error.orig))
            time.sleep(1.0)


def _write_spec(job_id: int, attempt: int, folder: Path, settings: Settings) -> tuple[Path, int]:
    """Writes `spec.json` from the ledger's rows; its path, and how many GPUs train."""
    with session_scope() as session:
        job = session.get(TrainingJob, job_id)
        dataset = session.get(Dataset, job.dataset_id) if job and job.dataset_id else None
        model = session.get(VideoModel, job.model_id) if job and job.model_id else None
        if job is None or dataset is None:
            raise MissingInput("The dataset of this job was deleted before it started.")
        if model is None or not model.path or not os.path.isdir(model.path):
            raise MissingInput("The base model of this job is not there any more.")
        # The version of the launch, whatever was corrected since: a resumed run learns from the same clips.
        spec = TrainSpec(
            job_id=job_id,
            attempt=attempt,
            name=job.name,
            folder=str(folder),
            recipe=job.recipe,
            dataset_name=job.dataset_name,
            dataset_version=job.dataset_version,
            trackers=[tool for tool in settings.trackers.split(",") if tool.strip()],
            model_name=job.model_name,
            redis_url=settings.resolved_redis_url,
            live_stream=LIVE_STREAM,
            job_stream=job_stream(job_id),
            stream_maxlen=STREAM_MAXLEN,
            stop_key=job_stop(job_id),
            lease_key=job_lease(job_id),
            gpus=_gpus_for(job),
            **training_inputs(session, dataset, job.dataset_version, model, settings),
        )
    if shutil.disk_usage(folder).free < 64 * 2**20:
        raise MissingInput("The disk is full. Free some space, then resume the job.", FailureKind.DISK_FULL)
    path = folder / "spec.json"
    spec.save(path)
    return path, len(spec.gpus)


def _gpus_for(job: TrainingJob) -> list[str]:
    """As many of this worker's GPUs as the job asked for; one where it did not say."""
    return visible_gpus()[: max(1, shape_of(job.needs).gpus)] if find_device().gpus else []


def training_inputs(
    session: Session, dataset: Dataset, version: int, model: VideoModel, settings: Settings
) -> dict[str, Any]:
    """The fields of a spec that say what is trained on what: a run and a rehearsal must see the same."""
    good = clips_at(session, dataset.id or 0, version)
    return {
        "task": TASK_OF_MODEL[model.model_type].key.value,
        "class_names": sorted({clip.label for clip in good}) if TASKS[dataset.task].has_classes else [],
        "model_path": model.path,
        "model_revision": model.revision,
        "family": model.family,
        "architecture": model.architecture,
        "clips": [_clip(clip, settings.storage_dir) for clip in good],
        "cache_dir": str(settings.data_dir / "cache"),
        "cache_bytes": settings.cache_bytes,
    }


def _clip(clip: Clip, storage: Path) -> ClipSpec:
    assert clip.id is not None
    path = clip.path if os.path.isabs(clip.path) else str(storage / clip.path)
    return ClipSpec(
        clip.id, path, clip.label, clip.caption, clip.split.value, clip.content_hash, clip.name, clip.frames
    )
