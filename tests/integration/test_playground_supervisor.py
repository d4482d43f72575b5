"""One supervisor among all workers keeps the process that answers; no request waits for a process that died."""

import json
import subprocess
import sys
from typing import Any

from jobs.playground.process_supervisor import DIED, AnswerProcessSupervisor
from orchestrator.domain.playground import InferenceMessage, InferenceRequest
from orchestrator.domain.redis_keys import (
    PLAYGROUND_IN_PROGRESS,
    PLAYGROUND_KEEP_ALIVE,
    PLAYGROUND_OWNER,
    PLAYGROUND_QUEUE,
    playground_answer,
)
from tests.studio import RedisProcess


def ended() -> subprocess.Popen[bytes]:
    process = subprocess.Popen([sys.executable, "-c", "raise SystemExit(3)"])
    process.wait(20)
    return process


def answer_to(client: Any, message: InferenceMessage) -> dict[str, Any]:
    raw = client.lpop(playground_answer(message.id))
    return json.loads(raw) if raw else {}


def test_a_waiting_user_is_informed_when_the_answering_process_dies(redis_server: RedisProcess) -> None:
    client, supervisor = redis_server.client(), AnswerProcessSupervisor()
    taken, waiting = (
        InferenceMessage("taken", 1, InferenceRequest(model_id=1)),
        InferenceMessage("waiting", 1, InferenceRequest(model_id=1)),
    )
    client.rpush(PLAYGROUND_IN_PROGRESS, b"not a message", taken.pack())
    supervisor._tick(client)  # it takes over from a worker that was killed, whose process had taken a message
    assert answer_to(client, taken)["problem"] == DIED
    client.rpush(PLAYGROUND_IN_PROGRESS, taken.pack())
    supervisor._process = ended()
    supervisor._tick(client)
    assert (answer_to(client, taken)["status"], client.llen(PLAYGROUND_IN_PROGRESS), supervisor.pid) == (503, 0, None)
    # A process that fails to start: all questions are refused, and it is not started again and again.
    supervisor._process, supervisor._started_at = ended(), 1e12
    client.rpush(PLAYGROUND_QUEUE, waiting.pack())
    client.set(PLAYGROUND_KEEP_ALIVE, "1")
    supervisor._tick(client)
    assert "does not start" in answer_to(client, waiting)["problem"]
    assert (client.exists(PLAYGROUND_KEEP_ALIVE), supervisor.pid) == (0, None)


def test_one_supervisor_owns_the_playground(redis_server: RedisProcess) -> None:
    client, first, second = redis_server.client(), AnswerProcessSupervisor(), AnswerProcessSupervisor()
    assert [first._claim(client), second._claim(client), first._claim(client)] == [True, False, True]
    client.delete(PLAYGROUND_OWNER)  # its worker is dead, and its lease has expired
    assert [second._claim(client), first._claim(client)] == [True, False]
