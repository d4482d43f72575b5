"""The letterbox to the workers: the one module that knows RQ. Letters hold ids only; SQL holds the truth."""

from functools import lru_cache
from typing import Any

import redis
from rq import Queue
from rq.exceptions import DuplicateJobError
from rq.intermediate_queue import IntermediateQueue
from rq.job import Job
from rq.serializers import JSONSerializer

from orchestrator.domain.redis_keys import ALLOWED_TASKS, queue_name
from orchestrator.services.redis import connect

_FAILURE_TTL_S = 3600


@lru_cache(maxsize=1)
def _client() -> redis.Redis:
    return connect(retries=1, socket_timeout=5.0)


def train_key(job_id: int, attempt: int) -> str:
    """The letter's name for one attempt of a job: the same attempt is never in the box twice."""
    return f"{job_id}-a{attempt}"


def ingest_key(dataset_id: int) -> str:
    """The letter's name for reading a dataset: it is in the box once at most."""
    return f"ingest-{dataset_id}"


def model_key(model_id: int) -> str:
    """The letter's name for bringing and checking a base model."""
    return f"model-{model_id}"


def rehearsal_key(rehearsal_id: int) -> str:
    """The letter's name for a rehearsal."""
    return f"rehearsal-{rehearsal_id}"


def adapter_work_key(work_id: int) -> str:
    """The letter's name for one merge or push."""
    return f"adapter-work-{work_id}"


def transcode_key(dataset_id: int, turn: int = 0) -> str:
    """The letter's name for one turn at the H.264 copies of a dataset."""
    return f"transcode-{dataset_id}-{turn}"


def enqueue(task: str, job_key: str, device_class: str, **ids: Any) -> bool:
    """Puts a letter in the box of a device class; False when a letter of that name is there already.

    Call it after the commit (`services.after_commit`): a worker may start within milliseconds.

    Raises:
        redis.RedisError: Redis does not answer; the controller's sweep sends the letter later.
    """
    assert task in ALLOWED_TASKS, task
    try:
        # RQ's own 180 s limit would end a training of days; its retries would train twice.
        _queue(device_class).enqueue_call(
            task,
            kwargs=ids,
            timeout=-1,
            result_ttl=0,
            failure_ttl=_FAILURE_TTL_S,
            job_id=job_key,
            description=f"{task} {job_key}",
            unique=True,
        )
    except DuplicateJobError:
        return False
    return True


def waiting_keys(device_class: str) -> set[str]:
    """The names of all letters that wait in the box (not those a worker holds)."""
    letters: Any = _client().lrange(_queue(device_class).key, 0, -1)
    return {raw.decode() for raw in letters}


def withdraw(job_key: str, device_class: str) -> None:
    """Takes a letter out of the box, wherever it is; nothing happens when it is not there."""
    client, queue = _client(), _queue(device_class)
    client.lrem(queue.key, 0, job_key)
    client.lrem(IntermediateQueue.get_intermediate_queue_key(queue.key), 0, job_key)
    client.delete(Job.key_for(job_key))


def _queue(device_class: str) -> Queue:
    return Queue(queue_name(device_class), connection=_client(), serializer=JSONSerializer, default_timeout=-1)
