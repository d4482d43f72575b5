"""Keeps the process that answers the playground: started when somebody asks, ended when nobody has for a while."""

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
_LOOK_S = 2.0
_HOLD_S = 12
_SOON_S = 20.0
"""A process that ends sooner than this has not come to its work."""
DIED = "The process that answers was ended while it worked on this; the model may need more memory than there is."
_BROKEN = "The process that answers does not start. The worker's log says why."
_SAID_S = 60


class AnswerProcessSupervisor:
    """One keeper rules at a time among all workers. The kernel ties the process to our thread, as long as we live."""

    def __init__(self, worker: str = "") -> None:
        self._me, self._worker = secrets.token_hex(8), worker
        self._process: subprocess.Popen[bytes] | None = None
        self._began = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._loop, daemon=True, name="playground-keeper")

    def start(self) -> None:
        self._thread.start()

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def free_memory(self) -> None:
        """A training begins: the answering process lets go of models where memory is scarce."""
        if self._process is not None and self._process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._process.pid, signal.SIGUSR1)

    def stop(self) -> None:
        """Ends the process; whoever waits for an answer is told."""
        self._over.set()
        self._thread.join(timeout=_LOOK_S + 2.0)
        self._end()

    def _loop(self) -> None:
        client = connect(retries=0, socket_timeout=_LOOK_S + 10)
        while not self._over.is_set():
            try:
                with client.pubsub(ignore_subscribe_messages=True) as calls:
                    calls.subscribe(PLAYGROUND_CHANNEL)
                    while not self._over.is_set():
                        self._keep(client)
                        calls.get_message(timeout=_LOOK_S)
            except (redis.RedisError, OSError):
                self._over.wait(_LOOK_S)
        with contextlib.suppress(redis.RedisError, OSError):
            if self._rules(client):
                client.delete(PLAYGROUND_OWNER)

    def _keep(self, client: redis.Redis) -> None:
        if not self._rules(client):
            self._end()
            return
        if self._process is not None and self._process.poll() is not None:
            self._mourn(client)
        wanted = bool(client.exists(PLAYGROUND_KEEP_ALIVE) or client.llen(PLAYGROUND_QUEUE))
        if wanted and self._process is None:
            self._begin()
        elif not wanted and self._process is not None and not client.llen(PLAYGROUND_IN_PROGRESS):
            self._end()

    def _rules(self, client: redis.Redis) -> bool:
        """Whether this keeper is the one; says so for another while if it is."""
        if client.set(PLAYGROUND_OWNER, self._me, nx=True, ex=_HOLD_S):
            if self._process is None:
                _refuse_all(client, PLAYGROUND_IN_PROGRESS, DIED)  # what a killed worker's process held
            return True
        holder: Any = client.get(PLAYGROUND_OWNER)
        if holder is None or holder.decode() != self._me:
            return False
        client.expire(PLAYGROUND_OWNER, _HOLD_S)
        return True

    def _begin(self) -> None:
        env = os.environ | {PARENT_PID: str(os.getpid())}
        command = [sys.executable, "-m", "jobs.playground", self._worker]
        self._process = subprocess.Popen(command, env=env, cwd=ROOT, start_new_session=True)
        self._began = time.monotonic()

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(3.0)
            if process.poll() is None:
                process.kill()
                process.wait()

    def _mourn(self, client: redis.Redis) -> None:
        """The process died: those whose question it held are told; all of them where it never came to its work."""
        assert self._process is not None
        log.warning("playground.died", code=self._process.returncode)
        never = time.monotonic() - self._began < _SOON_S and not client.llen(PLAYGROUND_IN_PROGRESS)
        self._process = None
        _refuse_all(client, PLAYGROUND_IN_PROGRESS, DIED)
        if never:
            _refuse_all(client, PLAYGROUND_QUEUE, _BROKEN)
            client.delete(PLAYGROUND_KEEP_ALIVE)


def _refuse_all(client: redis.Redis, box: str, sentence: str) -> None:
    raw: Any
    while (raw := client.lpop(box)) is not None:
        try:
            key = playground_answer(InferenceMessage.unpack(raw).id)
        except (ValueError, TypeError, KeyError):
            continue
        client.rpush(key, json.dumps({"problem": sentence, "status": 503, "field": ""}))
        client.expire(key, _SAID_S)
