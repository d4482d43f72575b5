"""The queues of the worker pools, the only module that uses RQ. Messages hold ids only; SQL says what a job is."""

from functools import lru_cache
from typing import Any

import redis
from rq import Queue
from rq.exceptions import DuplicateJobError
from rq.intermediate_queue import IntermediateQueue
from rq.job import Job, JobStatus
from rq.serializers import JSONSerializer

from orchestrator.domain.redis_keys import ALLOWED_TASKS, queue_name
from orchestrator.services.fair_turns import Share, insert_in_turn
from orchestrator.services.redis import connect_quick

_FAILURE_TTL_S = 3600
_ENDED = frozenset({JobStatus.FAILED.value, JobStatus.STOPPED.value, JobStatus.CANCELED.value})


@lru_cache(maxsize=1)
def _client() -> redis.Redis:
    return connect_quick()


def train_key(job_id: int, attempt: int) -> str:
    """The message's name for one attempt of a job: the same attempt is never queued twice."""
    return f"{job_id}-a{attempt}"


def ingest_key(dataset_id: int) -> str:
    """The message's name for the import of a dataset: it is queued once at most."""
    return f"ingest-{dataset_id}"


def model_key(model_id: int) -> str:
    """The message's name for the import of a base model."""
    return f"model-{model_id}"


def rehearsal_key(rehearsal_id: int) -> str:
    """The message's name for a rehearsal."""
    return f"rehearsal-{rehearsal_id}"


def adapter_work_key(work_id: int) -> str:
    """The message's name for one merge or push."""
    return f"adapter-work-{work_id}"


def transcode_key(dataset_id: int, turn: int = 0) -> str:
    """The message's name for one turn of making H.264 copies of a dataset's clips."""
    return f"transcode-{dataset_id}-{turn}"


def enqueue(task: str, key: str, pool: str, share: Share | None = None, **ids: Any) -> bool:
    """Puts a message into the queue of a worker pool.

    Call it after the commit (`services.after_commit`): a worker may start within milliseconds.

    Args:
        task: one of `ALLOWED_TASKS`. key: the message's name. pool: `prep`, or `machines.Shape.name` of the workers.
        share: puts it in its fair place among the messages that wait; None: at the end.

    Returns:
        False when a message of that name waits or is worked on already. One that failed, which RQ keeps for an hour,
        is replaced.

    Raises:
        redis.RedisError: Redis does not answer; the controller sends the message later.
    """
    assert task in ALLOWED_TASKS, task
    if _has_failed(key):
        withdraw(key, pool)
    try:
        # RQ's own 180 s limit would end a training of days; its retries would train twice.
        _queue(pool).enqueue_call(
            task,
            kwargs=ids,
            timeout=-1,
            result_ttl=0,
            failure_ttl=_FAILURE_TTL_S,
            job_id=key,
            description=f"{task} {key}",
            unique=True,
        )
    except DuplicateJobError:
        return False
    if share is not None:
        insert_in_turn(_client(), _queue(pool).key, key, share)
    return True


def waiting_keys(pool: str) -> set[str]:
    """The names of all messages that wait in the queue, without those that a worker has taken."""
    keys: Any = _client().lrange(_queue(pool).key, 0, -1)
    return {raw.decode() for raw in keys}


def withdraw(key: str, pool: str) -> None:
    """Takes a message out of the queue, if it is there."""
    client, queue = _client(), _queue(pool)
    client.lrem(queue.key, 0, key)
    client.lrem(IntermediateQueue.get_intermediate_queue_key(queue.key), 0, key)
    client.delete(Job.key_for(key))


def _has_failed(key: str) -> bool:
    status: Any = _client().hget(Job.key_for(key), "status")
    return status is not None and status.decode() in _ENDED


def _queue(pool: str) -> Queue:
    return Queue(queue_name(pool), connection=_client(), serializer=JSONSerializer, default_timeout=-1)
