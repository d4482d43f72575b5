"""Queues a task of the prep worker again when its message or its worker was lost, and gives up after some tries."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import redis
from sqlmodel import Session, col, select

from orchestrator.domain.adapters import ACTIVE_OPERATIONS, AdapterOperation
from orchestrator.domain.datasets import REVIEW, Dataset, DatasetStatus
from orchestrator.domain.machines import PREP
from orchestrator.domain.models import ModelStatus, VideoModel
from orchestrator.domain.redis_keys import (
    TASK_ADAPTER,
    TASK_INGEST,
    TASK_MODEL,
    adapter_lease,
    adapter_tries,
    ingest_lease,
    ingest_tries,
    model_lease,
    model_tries,
)
from orchestrator.services.adapters.operations import fail_operation, operation_share
from orchestrator.services.datasets.ingest.pipeline import fail_import as fail_dataset
from orchestrator.services.datasets.ingest.uploads import import_share
from orchestrator.services.db import session_scope
from orchestrator.services.fair_turns import Share
from orchestrator.services.models.adding import CHECKING, FETCHING, fail_import, model_share
from orchestrator.services.queue import adapter_work_key, enqueue, ingest_key, model_key, waiting_keys, withdraw

MAX_TRIES = 3
_LEASE_GRACE_S = 8.0
"""How long a task may be neither in the queue nor leased: a worker that has just taken it leases it within that."""
_TRIES_TTL_S = 86_400


@dataclass(frozen=True, slots=True)
class Task:
    """A kind of task that leases what it works on while it runs.

    Attributes:
        name: the function that the message names.
        argument: how that function calls the id.
        unfinished: ids of everything that should be queued or worked on now.
        share: whose it is.
        key: the name of the message. lease, tries: Redis keys.
        give_up: ends it with a sentence.
    """

    name: str
    argument: str
    unfinished: Callable[[Session], list[int]]
    share: Callable[[Session, int], Share]
    key: Callable[[int], str]
    lease: Callable[[int], str]
    tries: Callable[[int], str]
    give_up: Callable[[int, str], object]
    sentence: str


def _datasets(session: Session) -> list[int]:
    statement = select(Dataset.id).where(
        Dataset.status == DatasetStatus.PROCESSING,
        col(Dataset.is_demo).is_(False),
        Dataset.stage != REVIEW,  # waits for a person, not for a worker
    )
    return [dataset_id for dataset_id in session.exec(statement) if dataset_id]


def _dataset_share(session: Session, dataset_id: int) -> Share:
    dataset = session.get(Dataset, dataset_id)
    return import_share(session, dataset) if dataset else Share(0)


def _models(session: Session) -> list[int]:
    rows = session.exec(select(VideoModel).where(VideoModel.status == ModelStatus.PROCESSING)).all()
    return [row.id for row in rows if row.id and row.details.get("stage") in (FETCHING, CHECKING)]


def _model_share(session: Session, model_id: int) -> Share:
    model = session.get(VideoModel, model_id)
    return model_share(model) if model else Share(0)


def _adapter_operations(session: Session) -> list[int]:
    statement = select(AdapterOperation.id).where(col(AdapterOperation.status).in_(ACTIVE_OPERATIONS))
    return [operation_id for operation_id in session.exec(statement) if operation_id]


TASKS = (
    Task(
        TASK_INGEST,
        "dataset_id",
        _datasets,
        _dataset_share,
        ingest_key,
        ingest_lease,
        ingest_tries,
        fail_dataset,
        "Reading this dataset was interrupted several times. Upload it again.",
    ),
    Task(
        TASK_MODEL,
        "model_id",
        _models,
        _model_share,
        model_key,
        model_lease,
        model_tries,
        fail_import,
        "Checking this model was interrupted several times. Add it again.",
    ),
    Task(
        TASK_ADAPTER,
        "work_id",
        _adapter_operations,
        operation_share,
        adapter_work_key,
        adapter_lease,
        adapter_tries,
        fail_operation,
        "It was interrupted several times; the memory may be too small. Try again later.",
    ),
)


class InterruptedTasks:
    """Remembers since when tasks of one kind are neither queued nor leased."""

    def __init__(self, client: redis.Redis, task: Task) -> None:
        self._client, self._task = client, task
        self._idle_since: dict[int, float] = {}

    def restart(self) -> None:
        """Sends those again that have been idle for longer than the grace, or gives them up.

        Raises:
            redis.RedisError: Redis is away.
        """
        task = self._task
        with session_scope() as session:
            ids = task.unfinished(session)
        queued, now = waiting_keys(PREP) if ids else set(), time.monotonic()
        idle = [i for i in ids if task.key(i) not in queued and not self._client.exists(task.lease(i))]
        self._idle_since = {i: self._idle_since.get(i, now) for i in idle}
        for item in [i for i, since in self._idle_since.items() if now - since >= _LEASE_GRACE_S]:
            del self._idle_since[item]
            tries: Any = self._client.incr(task.tries(item))
            self._client.expire(task.tries(item), _TRIES_TTL_S)
            if tries < MAX_TRIES:
                withdraw(task.key(item), PREP)
                with session_scope() as session:
                    share = task.share(session, item)
                enqueue(task.name, task.key(item), PREP, share, **{task.argument: item})
            else:
                task.give_up(item, task.sentence)
                self._client.delete(task.tries(item))
