"""Takes questions from the queue and works on all of them in turns, so that none waits for a long search."""

import json
import signal
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import redis
import structlog
import torch

from jobs.families.generation import Abandoned
from jobs.playground.answers import AnswerContext, Record, ReplyChannel, answer
from jobs.playground.model_cache import ModelCache, preload
from jobs.video.source import BadClip
from orchestrator.domain.errors import AppError
from orchestrator.domain.playground import InferenceMessage
from orchestrator.domain.redis_keys import (
    PLAYGROUND_IN_PROGRESS,
    PLAYGROUND_QUEUE,
    playground_answer,
    playground_waiter,
)
from orchestrator.services.playground.questions import problem_record
from orchestrator.services.redis import connect

log = structlog.get_logger()
_ANSWER_TTL_S = 60
_BLOCK_S = 1
_PAUSE_S = 0.03
_MAX_TASKS = 8
"""Questions that are worked on at the same time."""
_ABANDONMENT_CHECK_S = 0.5
"""How often, while an answer is generated, it is checked that its client still waits for it."""


@dataclass(slots=True)
class _Task:
    message: InferenceMessage
    raw: bytes
    records: Iterator[Record | None]


class Server:
    """The loop of the answering process."""

    def __init__(self, worker: str = "") -> None:
        self._client = connect(socket_timeout=_BLOCK_S + 10)
        self._models = ModelCache(worker)
        self._context = AnswerContext(self._models)
        self._tasks: list[_Task] = []
        self._stopping = self._must_free_memory = False

    def run(self) -> int:
        """Works until SIGTERM. SIGUSR1 says that a training begins."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_end)
        signal.signal(signal.SIGUSR1, self._on_free_memory)
        preload()
        while not self._stopping:
            try:
                self._turn()
            except redis.RedisError as error:
                log.warning("playground.no_redis", error=str(error))
                self._tasks.clear()
                time.sleep(_BLOCK_S)
        return 0

    def _on_end(self, *_: object) -> None:
        self._stopping = True

    def _on_free_memory(self, *_: object) -> None:
        self._must_free_memory = True

    def _turn(self) -> None:
        if self._must_free_memory:
            self._must_free_memory = False
            self._models.free_memory()
        if len(self._tasks) < _MAX_TASKS:
            self._take_message()
        progressed = [self._step(task) for task in list(self._tasks)]
        if progressed and not any(progressed):
            time.sleep(_PAUSE_S)  # all of them wait for the network

    def _take_message(self) -> None:
        raw: Any
        if self._tasks:
            raw = self._client.lmove(PLAYGROUND_QUEUE, PLAYGROUND_IN_PROGRESS, "LEFT", "RIGHT")
        else:
            raw = self._client.blmove(PLAYGROUND_QUEUE, PLAYGROUND_IN_PROGRESS, _BLOCK_S, "LEFT", "RIGHT")
        if raw is None:
            return
        try:
            message = InferenceMessage.unpack(raw)
        except (ValueError, TypeError, KeyError):
            log.error("playground.refused")
            self._client.lrem(PLAYGROUND_IN_PROGRESS, 1, raw)
            return
        reply = ReplyChannel(lambda record: self._send(message, record), self._abandonment_check(message))
        records = answer(self._context, message, reply)
        self._tasks.append(_Task(message, raw, records))

    def _step(self, task: _Task) -> bool:
        """Works until the next record; False when the task waits for the network."""
        if not self._is_awaited(task.message):
            self._close(task)
            return True
        try:
            with torch.no_grad():
                record = next(task.records)
        except (StopIteration, Abandoned):
            self._close(task)
            return True
        except Exception as error:
            self._send(task.message, _refusal(error))
            self._close(task)
            return True
        if record is not None:
            self._send(task.message, record)
        return record is not None

    def _is_awaited(self, message: InferenceMessage) -> bool:
        return bool(self._client.exists(playground_waiter(message.id)))

    def _abandonment_check(self, message: InferenceMessage) -> Callable[[], bool]:
        """A check that may be called for each token of an answer: it asks Redis twice a second at most."""
        next_check = 0.0

        def is_abandoned() -> bool:
            nonlocal next_check
            now = time.monotonic()
            if now < next_check:
                return False
            next_check = now + _ABANDONMENT_CHECK_S
            return not self._is_awaited(message)

        return is_abandoned

    def _send(self, message: InferenceMessage, record: Record) -> None:
        key = playground_answer(message.id)
        self._client.rpush(key, json.dumps(record))
        self._client.expire(key, _ANSWER_TTL_S)

    def _close(self, task: _Task) -> None:
        task.records.close()  # type: ignore[attr-defined]
        self._tasks.remove(task)
        self._client.lrem(PLAYGROUND_IN_PROGRESS, 1, task.raw)  # type: ignore[arg-type]


def _refusal(error: Exception) -> Record:
    """The sentence for any error; the traceback of an unexpected one goes to the worker's log."""
    if isinstance(error, AppError | BadClip):
        return problem_record(error)
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        text = "The memory ran out while this was answered. Wait until a training is over, or use a smaller model."
        return {"problem": text, "status": 503, "field": "model_id"}
    log.error("playground.broke", trace="".join(traceback.format_exception(error))[-4_000:])
    lines = str(error).strip().splitlines()
    text = f"The model broke off: {type(error).__name__}{': ' + lines[0][:200] if lines else ''}"
    return {"problem": text, "status": 500, "field": ""}
