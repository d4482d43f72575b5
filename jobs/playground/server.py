"""Takes questions out of the box and works on all of them in turns, so that a long search holds nobody up."""

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
from jobs.playground.answers import AnswerContext, Outlet, Record, answer
from jobs.playground.shelf import ModelCache, preload
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
_SAID_S = 60
_BLOCK_S = 1
_REST_S = 0.03
_AT_ONCE = 8
_LOOK_S = 0.5
"""How often, while an answer is generated, it is checked that somebody still waits for it."""


@dataclass(slots=True)
class _Task:
    letter: InferenceMessage
    raw: bytes
    records: Iterator[Record | None]


class Server:
    """The loop of the answering process."""

    def __init__(self, worker: str = "") -> None:
        self._client = connect(socket_timeout=_BLOCK_S + 10)
        self._shelf = ModelCache(worker)
        self._work = AnswerContext(self._shelf)
        self._tasks: list[_Task] = []
        self._over = self._memory_wanted = False

    def run(self) -> int:
        """Until SIGTERM. SIGUSR1: a training begins."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_end)
        signal.signal(signal.SIGUSR1, self._on_free_memory)
        preload()
        while not self._over:
            try:
                self._turn()
            except redis.RedisError as error:
                log.warning("playground.no_redis", error=str(error))
                self._tasks.clear()
                time.sleep(_BLOCK_S)
        return 0

    def _on_end(self, *_: object) -> None:
        self._over = True

    def _on_free_memory(self, *_: object) -> None:
        self._memory_wanted = True

    def _turn(self) -> None:
        if self._memory_wanted:
            self._memory_wanted = False
            self._shelf.free_memory()
        if len(self._tasks) < _AT_ONCE:
            self._take()
        moved = [self._step(task) for task in list(self._tasks)]
        if moved and not any(moved):
            time.sleep(_REST_S)  # all of them wait for the network

    def _take(self) -> None:
        raw: Any
        if self._tasks:
            raw = self._client.lmove(PLAYGROUND_QUEUE, PLAYGROUND_IN_PROGRESS, "LEFT", "RIGHT")
        else:
            raw = self._client.blmove(PLAYGROUND_QUEUE, PLAYGROUND_IN_PROGRESS, _BLOCK_S, "LEFT", "RIGHT")
        if raw is None:
            return
        try:
            letter = InferenceMessage.unpack(raw)
        except (ValueError, TypeError, KeyError):
            log.error("playground.refused")
            self._client.lrem(PLAYGROUND_IN_PROGRESS, 1, raw)
            return
        outlet = Outlet(lambda record: self._say(letter, record), self._abandonment_check(letter))
        records = answer(self._work, letter, outlet)
        self._tasks.append(_Task(letter, raw, records))

    def _step(self, task: _Task) -> bool:
        """One record further; False when it waits for something else."""
        if not self._is_awaited(task.letter):
            self._close(task)
            return True
        try:
            with torch.no_grad():
                record = next(task.records)
        except (StopIteration, Abandoned):
            self._close(task)
            return True
        except Exception as error:
            self._say(task.letter, _refusal(error))
            self._close(task)
            return True
        if record is not None:
            self._say(task.letter, record)
        return record is not None

    def _is_awaited(self, letter: InferenceMessage) -> bool:
        return bool(self._client.exists(playground_waiter(letter.id)))

    def _abandonment_check(self, letter: InferenceMessage) -> Callable[[], bool]:
        """For each token of an answer: looks into Redis twice a second at most."""
        next_look = 0.0

        def is_abandoned() -> bool:
            nonlocal next_look
            now = time.monotonic()
            if now < next_look:
                return False
            next_look = now + _LOOK_S
            return not self._is_awaited(letter)

        return is_abandoned

    def _say(self, letter: InferenceMessage, record: Record) -> None:
        key = playground_answer(letter.id)
        self._client.rpush(key, json.dumps(record))
        self._client.expire(key, _SAID_S)

    def _close(self, task: _Task) -> None:
        task.records.close()  # type: ignore[attr-defined]
        self._tasks.remove(task)
        self._client.lrem(PLAYGROUND_IN_PROGRESS, 1, task.raw)  # type: ignore[arg-type]


def _refusal(error: Exception) -> Record:
    """The sentence for whatever went wrong; our own bugs keep their traceback in the worker's log."""
    if isinstance(error, AppError | BadClip):
        return problem_record(error)
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        text = "The memory ran out while this was answered. Wait until a training is over, or use a smaller model."
        return {"problem": text, "status": 503, "field": "model_id"}
    log.error("playground.broke", trace="".join(traceback.format_exception(error))[-4_000:])
    said = str(error).strip().splitlines()
    text = f"The model broke off: {type(error).__name__}{': ' + said[0][:200] if said else ''}"
    return {"problem": text, "status": 500, "field": ""}
