"""The controller's slower chores: built-in models, the demo, abandoned uploads, interrupted tasks, dead workers."""

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

import redis
import structlog
from sqlmodel import col, select

from jobs.controller.interrupted_tasks import TASKS, InterruptedTasks
from jobs.runs.manifest import delete_unused_manifests
from orchestrator.domain.base import utcnow
from orchestrator.domain.datasets import REVIEW, Dataset, DatasetStatus, Upload
from orchestrator.domain.machines import PREP
from orchestrator.domain.redis_keys import TASK_DEMO
from orchestrator.services.adapters.recording import record_missing
from orchestrator.services.audit.retention import delete_expired_entries
from orchestrator.services.datasets.demo import is_demo_generated
from orchestrator.services.datasets.ingest.pipeline import fail_import as fail_dataset
from orchestrator.services.db import DATABASE_AWAY, session_scope
from orchestrator.services.models.adding import abandoned_models, delete_stale_downloads, fail_import
from orchestrator.services.models.builtin import ensure_builtin
from orchestrator.services.playground.scratch import delete_expired_scratch
from orchestrator.services.queue import enqueue
from orchestrator.services.training.checkpoints import delete_expired, delete_late
from orchestrator.services.workers import remove_dead_workers
from orchestrator.settings import get_settings

log = structlog.get_logger()
_DEMO_AGAIN_S = 60.0
_MAX_UPLOAD_AGE = timedelta(days=2)
_MAX_REVIEW_AGE = timedelta(days=7)


@dataclass(slots=True)
class Chore:
    """Something to do every `every_s` seconds."""

    every_s: float
    act: Callable[[], None]
    next_at: float = field(default=0.0)


class Housekeeping:
    """Runs each chore when it is due. A chore that fails is logged and runs again at its next time."""

    def __init__(self, client: redis.Redis) -> None:
        restarts = [Chore(5.0, InterruptedTasks(client, task).restart) for task in TASKS]
        self._chores = [
            *restarts,
            Chore(3600.0, register_builtin_models),
            Chore(3600.0, record_missing_adapters),
            Chore(10.0, DemoRequest().send),
            Chore(600.0, delete_abandoned_uploads),
            Chore(600.0, forget_dead_workers),
            Chore(60.0, delete_scratch_clips),
            Chore(60.0, CheckpointExpiry().act),
            Chore(3600.0, delete_manifests),
            Chore(3600.0, shorten_audit_log),
        ]

    def tick(self) -> None:
        """Runs what is due.

        Raises:
            redis.RedisError, one of `DATABASE_AWAY`: a store is away; the chore is tried again in two seconds.
        """
        for chore in self._chores:
            now = time.monotonic()
            if now >= chore.next_at:
                chore.next_at = now + chore.every_s
                try:
                    chore.act()
                except (redis.RedisError, *DATABASE_AWAY):
                    chore.next_at = now + 2.0
                    raise
                except Exception:
                    log.exception("controller.chore_failed", chore=getattr(chore.act, "__qualname__", ""))


def delete_manifests() -> None:
    """Deletes the lists of clips that no attempt links to any more."""
    delete_unused_manifests(get_settings().manifests_dir)


def shorten_audit_log() -> None:
    """Entries that are older than the studio keeps them."""
    with session_scope() as session:
        delete_expired_entries(session, get_settings())


def register_builtin_models() -> None:
    """Base models that come with Loreel."""
    with session_scope() as session:
        ensure_builtin(session)


def record_missing_adapters() -> None:
    """Adapters of jobs that were completed before adapters had versions."""
    with session_scope() as session:
        record_missing(session)


class DemoRequest:
    """Has the demo clips drawn at the first start; again when that failed, once a minute at most."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._not_before = 0.0

    def send(self) -> None:
        if is_demo_generated() or self._clock() < self._not_before:
            return
        if enqueue(TASK_DEMO, "demo", PREP):
            self._not_before = self._clock() + _DEMO_AGAIN_S


def forget_dead_workers() -> None:
    """Workers that have been silent for a day."""
    with session_scope() as session:
        remove_dead_workers(session)


def delete_scratch_clips() -> None:
    """Clips that users dropped on the playground and that have expired."""
    delete_expired_scratch()


class CheckpointExpiry:
    """Deletes checkpoints of jobs and attempts that ended long ago, a few at each call, the oldest first."""

    def __init__(self) -> None:
        self._last_id, self._last_attempt = 0, (0, -1)

    def act(self) -> None:
        """The next jobs and attempts; after the last of them it begins again."""
        with session_scope() as session:
            self._last_id = delete_expired(session, get_settings(), self._last_id)
            self._last_attempt = delete_late(session, get_settings(), self._last_attempt)


def delete_abandoned_uploads() -> None:
    """Uploads and fetches without progress for two days, and datasets whose files were not accepted for a week."""
    for dataset_id in _unreviewed():
        fail_dataset(dataset_id, "The layout of these files was not accepted within a week. Add them again.")
    folder, max_age_s = get_settings().data_dir / "uploads", _MAX_UPLOAD_AGE.total_seconds()
    with session_scope() as session:
        reviewed = select(Dataset.id).where(Dataset.stage == REVIEW)
        waits_for_review = col(Upload.dataset_id).is_not(None) & col(Upload.dataset_id).in_(reviewed)
        abandoned = select(Upload).where(col(Upload.created_at) < utcnow() - _MAX_UPLOAD_AGE, ~waits_for_review)
        for fetched in folder.glob("fetch-*"):
            if time.time() - fetched.stat().st_mtime > max_age_s:
                shutil.rmtree(fetched, ignore_errors=True)
        for upload in session.exec(abandoned).all():
            for path in folder.glob(f"{upload.id}*"):
                path.unlink(missing_ok=True)
            session.delete(upload)
    delete_stale_downloads(max_age_s)
    for model_id in abandoned_models(utcnow() - _MAX_UPLOAD_AGE):
        fail_import(model_id, "Its files did not all arrive within two days. Add them again, or delete it.")


def _unreviewed() -> list[int]:
    """Datasets whose files have waited for a week to be accepted."""
    with session_scope() as session:
        waiting = select(Dataset.id).where(
            Dataset.status == DatasetStatus.PROCESSING,
            Dataset.stage == REVIEW,
            col(Dataset.updated_at) < utcnow() - _MAX_REVIEW_AGE,
        )
        return [dataset_id for dataset_id in session.exec(waiting) if dataset_id]
