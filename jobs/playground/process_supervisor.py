"""Starts the process that answers the playground when a question comes, and ends it when none has come for a while."""

import contextlib
import json
import os
import secrets
import signal
import subprocess
import sys
import threading
import time
from typing import Any

import redis
import structlog

from orchestrator.domain.playground import InferenceMessage
from orchestrator.domain.processes import PARENT_PID
from orchestrator.domain.redis_keys import (
    PLAYGROUND_CHANNEL,
    PLAYGROUND_IN_PROGRESS,
    PLAYGROUND_KEEP_ALIVE,
    PLAYGROUND_OWNER,
    PLAYGROUND_QUEUE,
    playground_answer,
)
from orchestrator.services.redis import connect
from orchestrator.settings import ROOT

log = structlog.get_logger()
_POLL_S = 2.0
_OWNER_TTL_S = 12
_STARTUP_S = 20.0
"""A process that ends sooner, without a question in progress, failed to start."""
DIED = "The process that answers was ended while it worked on this; the model may need more memory than there is."
_BROKEN = "The process that answers does not start. The worker's log says why."
_ANSWER_TTL_S = 60


class AnswerProcessSupervisor:
    """Of all workers, one owns the playground at a time. Linux ties the process to the thread that starts it."""

    def __init__(self, worker: str = "") -> None:
        self._id, self._worker = secrets.token_hex(8), worker
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = 0.0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._loop, daemon=True, name="playground-supervisor")

    def start(self) -> None:
        self._thread.start()

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def free_memory(self) -> None:
        """A training begins: the process unloads its models where memory is scarce."""
        if self._process is not None and self._process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._process.pid, signal.SIGUSR1)

    def stop(self) -> None:
        """Ends the process. The next supervisor refuses the questions that it had taken."""
        self._stopping.set()
        self._thread.join(timeout=_POLL_S + 2.0)
        self._end_process()

    def _loop(self) -> None:
        client = connect(retries=0, socket_timeout=_POLL_S + 10)
        while not self._stopping.is_set():
            try:
                with client.pubsub(ignore_subscribe_messages=True) as messages:
                    messages.subscribe(PLAYGROUND_CHANNEL)
                    while not self._stopping.is_set():
                        self._tick(client)
                        messages.get_message(timeout=_POLL_S)
            except (redis.RedisError, OSError):
                self._stopping.wait(_POLL_S)
        with contextlib.suppress(redis.RedisError, OSError):
            if self._claim(client):
                client.delete(PLAYGROUND_OWNER)

    def _tick(self, client: redis.Redis) -> None:
        if not self._claim(client):
            self._end_process()
            return
        if self._process is not None and self._process.poll() is not None:
            self._on_death(client)
        needed = bool(client.exists(PLAYGROUND_KEEP_ALIVE) or client.llen(PLAYGROUND_QUEUE))
        if needed and self._process is None:
            self._start_process()
        elif not needed and self._process is not None and not client.llen(PLAYGROUND_IN_PROGRESS):
            self._end_process()

    def _claim(self, client: redis.Redis) -> bool:
        """Takes or renews the ownership of the playground; False while another worker has it."""
        if client.set(PLAYGROUND_OWNER, self._id, nx=True, ex=_OWNER_TTL_S):
            if self._process is None:
                _refuse_all(client, PLAYGROUND_IN_PROGRESS, DIED)  # taken by the process of a worker that was killed
            return True
        owner: Any = client.get(PLAYGROUND_OWNER)
        if owner is None or owner.decode() != self._id:
            return False
        client.expire(PLAYGROUND_OWNER, _OWNER_TTL_S)
        return True

    def _start_process(self) -> None:
        env = os.environ | {PARENT_PID: str(os.getpid())}
        command = [sys.executable, "-m", "jobs.playground", self._worker]
        self._process = subprocess.Popen(command, env=env, cwd=ROOT, start_new_session=True)
        self._started_at = time.monotonic()

    def _end_process(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(3.0)
            if process.poll() is None:
                process.kill()
                process.wait()

    def _on_death(self, client: redis.Redis) -> None:
        """The process died: refuses the questions it had taken, or all of them where it failed to start."""
        assert self._process is not None
        log.warning("playground.died", code=self._process.returncode)
        lived_s = time.monotonic() - self._started_at
        failed_to_start = lived_s < _STARTUP_S and not client.llen(PLAYGROUND_IN_PROGRESS)
        self._process = None
        _refuse_all(client, PLAYGROUND_IN_PROGRESS, DIED)
        if failed_to_start:
            _refuse_all(client, PLAYGROUND_QUEUE, _BROKEN)
            client.delete(PLAYGROUND_KEEP_ALIVE)


def _refuse_all(client: redis.Redis, queue: str, sentence: str) -> None:
    raw: Any
    while (raw := client.lpop(queue)) is not None:
        try:
            key = playground_answer(InferenceMessage.unpack(raw).id)
        except (ValueError, TypeError, KeyError):
            continue
        client.rpush(key, json.dumps({"problem": sentence, "status": 503, "field": ""}))
        client.expire(key, _ANSWER_TTL_S)
