"""The controller's slower chores: built-in models, the demo, abandoned uploads, datasets nobody reads, dead workers."""

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import redis
import structlog
from sqlmodel import col, select

from orchestrator.domain.adapters import ACTIVE_OPERATIONS, AdapterOperation
from orchestrator.domain.base import utcnow
from orchestrator.domain.datasets import REVIEW, Dataset, DatasetStatus, Upload
from orchestrator.domain.machines import PREP
from orchestrator.domain.models import ModelStatus, VideoModel
from orchestrator.domain.redis_keys import (
    TASK_ADAPTER,
    TASK_DEMO,
    TASK_INGEST,
    TASK_MODEL,
    adapter_lease,
    adapter_tries,
    ingest_lease,
    ingest_tries,
    model_lease,
    model_tries,
)
from orchestrator.services.adapters import operations
from orchestrator.services.adapters.recording import record_missing
from orchestrator.services.datasets.demo import is_drawn
from orchestrator.services.datasets.ingest.pipeline import refuse as refuse_dataset
from orchestrator.services.db import session_scope
from orchestrator.services.models.adding import (
    CHECKING,
    FETCHING,
    abandoned_models,
    delete_stale_downloads,
    fail_import,
)
from orchestrator.services.models.builtin import ensure_builtin
from orchestrator.services.playground.scratch import sweep_scratch
from orchestrator.services.queue import adapter_work_key, enqueue, ingest_key, model_key, waiting_keys, withdraw
from orchestrator.services.workers import remove_dead_workers
from orchestrator.settings import get_settings

log = structlog.get_logger()
MAX_TRIES = 3
_SILENT_S = 8.0
_UPLOAD_AGE = timedelta(days=2)
_REVIEW_AGE = timedelta(days=7)


@dataclass(slots=True)
class Chore:
    """Something to do every `every_s` seconds."""

    every_s: float
    act: Callable[[], None]
    next_at: float = field(default=0.0)


class Housekeeping:
    """Runs each chore when it is due. A chore that fails is logged and tried at its next time."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._silent: dict[int, float] = {}
        self._silent_models: dict[int, float] = {}
        self._silent_works: dict[int, float] = {}
        self._chores = [
            Chore(5.0, self._datasets),
            Chore(5.0, self._models),
            Chore(5.0, self._works),
            Chore(3600.0, self._builtin),
            Chore(3600.0, self._adapters),
            Chore(10.0, self._demo),
            Chore(600.0, self._uploads),
            Chore(600.0, self._workers),
            Chore(60.0, self._scratch),
        ]

    def tick(self) -> None:
        for chore in self._chores:
            now = time.monotonic()
            if now >= chore.next_at:
                chore.next_at = now + chore.every_s
                try:
                    chore.act()
                except redis.RedisError:
                    chore.next_at = now + 2.0
                    raise
                except Exception:
                    log.exception("controller.chore_failed", chore=chore.act.__name__)

    def _builtin(self) -> None:
        with session_scope() as session:
            ensure_builtin(session)

    def _adapters(self) -> None:
        """Jobs that were complete before adapters had versions."""
        with session_scope() as session:
            record_missing(session)

    def _demo(self) -> None:
        if not is_drawn():
            enqueue(TASK_DEMO, "demo", PREP)

    def _workers(self) -> None:
        with session_scope() as session:
            remove_dead_workers(session)

    def _scratch(self) -> None:
        """Clips that were dropped on the playground to be tried, not kept."""
        sweep_scratch()

    def _uploads(self) -> None:
        """Bytes of uploads that nobody went on with for two days, and what waits for them."""
        folder = get_settings().data_dir / "uploads"
        for dataset_id in _unchecked():
            refuse_dataset(dataset_id, "Nobody accepted how these files are read for a week. Add them again.")
        with session_scope() as session:
            checked = select(Dataset.id).where(Dataset.stage == REVIEW)
            kept = col(Upload.dataset_id).is_not(None) & col(Upload.dataset_id).in_(checked)
            aged = select(Upload).where(col(Upload.created_at) < utcnow() - _UPLOAD_AGE, ~kept)
            old = session.exec(aged).all()
            for leftover in folder.glob("fetch-*"):
                if time.time() - leftover.stat().st_mtime > _UPLOAD_AGE.total_seconds():
                    shutil.rmtree(leftover, ignore_errors=True)
            for upload in old:
                for path in folder.glob(f"{upload.id}*"):
                    path.unlink(missing_ok=True)
                session.delete(upload)
        delete_stale_downloads(_UPLOAD_AGE.total_seconds())
        for model_id in abandoned_models(utcnow() - _UPLOAD_AGE):
            fail_import(model_id, "Its files did not all arrive within two days. Add them again, or delete it.")

    def _models(self) -> None:
        """A base model that is to be fetched or checked, and that nobody looks after, gets a new letter."""
        with session_scope() as session:
            rows = session.exec(select(VideoModel).where(VideoModel.status == ModelStatus.PROCESSING)).all()
            ids = [row.id for row in rows if row.id and row.details.get("stage") in (FETCHING, CHECKING)]
        waiting, now = waiting_keys(PREP) if ids else set(), time.monotonic()
        idle = [i for i in ids if model_key(i) not in waiting and not self._client.exists(model_lease(i))]
        self._silent_models = {i: self._silent_models.get(i, now) for i in idle}
        for model_id in [i for i, since in self._silent_models.items() if now - since >= _SILENT_S]:
            del self._silent_models[model_id]
            tries: Any = self._client.incr(model_tries(model_id))
            self._client.expire(model_tries(model_id), 86_400)
            if tries < MAX_TRIES:
                withdraw(model_key(model_id), PREP)
                enqueue(TASK_MODEL, model_key(model_id), PREP, model_id=model_id)
            else:
                fail_import(model_id, "Checking this model was interrupted several times. Add it again.")
                self._client.delete(model_tries(model_id))

    def _works(self) -> None:
        """A merge or a push that nobody does gets a new letter, and after some tries an honest end."""
        with session_scope() as session:
            active = select(AdapterOperation.id).where(col(AdapterOperation.status).in_(ACTIVE_OPERATIONS))
            ids = [operation_id for operation_id in session.exec(active) if operation_id]
        waiting, now = waiting_keys(PREP) if ids else set(), time.monotonic()
        idle = [i for i in ids if adapter_work_key(i) not in waiting and not self._client.exists(adapter_lease(i))]
        self._silent_works = {i: self._silent_works.get(i, now) for i in idle}
        for work_id in [i for i, since in self._silent_works.items() if now - since >= _SILENT_S]:
            del self._silent_works[work_id]
            tries: Any = self._client.incr(adapter_tries(work_id))
            self._client.expire(adapter_tries(work_id), 86_400)
            if tries < MAX_TRIES:
                withdraw(adapter_work_key(work_id), PREP)
                enqueue(TASK_ADAPTER, adapter_work_key(work_id), PREP, work_id=work_id)
            else:
                operations.fail_operation(
                    work_id, "It was interrupted several times; the memory may be too small. Try again later."
                )
                self._client.delete(adapter_tries(work_id))

    def _datasets(self) -> None:
        """A dataset in `processing` that nobody reads gets a new letter, and after some tries an honest error."""
        now = time.monotonic()
        with session_scope() as session:
            statement = select(Dataset.id).where(
                Dataset.status == DatasetStatus.PROCESSING,
                col(Dataset.is_demo).is_(False),
                Dataset.stage != REVIEW,  # waits for a person, not for a worker
            )
            ids = [dataset_id for dataset_id in session.exec(statement) if dataset_id]
            waiting = waiting_keys(PREP) if ids else set()
            idle = [i for i in ids if ingest_key(i) not in waiting and not self._client.exists(ingest_lease(i))]
            self._silent = {i: self._silent.get(i, now) for i in idle}
            refused: list[int] = []
            for dataset_id in [i for i, since in self._silent.items() if now - since >= _SILENT_S]:
                del self._silent[dataset_id]
                tries: Any = self._client.incr(ingest_tries(dataset_id))
                if tries < MAX_TRIES:
                    withdraw(ingest_key(dataset_id), PREP)
                    enqueue(TASK_INGEST, ingest_key(dataset_id), PREP, dataset_id=dataset_id)
                    continue
                refused.append(dataset_id)
                self._client.delete(ingest_tries(dataset_id))
        for dataset_id in refused:
            refuse_dataset(dataset_id, "Reading this dataset was interrupted several times. Upload it again.")


def _unchecked() -> list[int]:
    """Datasets whose files wait for a week to be accepted."""
    with session_scope() as session:
        waiting = select(Dataset.id).where(
            Dataset.status == DatasetStatus.PROCESSING,
            Dataset.stage == REVIEW,
            col(Dataset.updated_at) < utcnow() - _REVIEW_AGE,
        )
        return [dataset_id for dataset_id in session.exec(waiting) if dataset_id]
