"""Who keeps the process that answers: one keeper among all workers, and nobody waits for a process that died."""

import json
import subprocess
import sys
from typing import Any

from jobs.playground.keeper import DIED, AnswerProcessSupervisor
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
    client, keeper = redis_server.client(), AnswerProcessSupervisor()
    taken, waiting = (
        InferenceMessage("taken", 1, InferenceRequest(model_id=1)),
        InferenceMessage("waiting", 1, InferenceRequest(model_id=1)),
    )
    client.rpush(PLAYGROUND_IN_PROGRESS, b"not a message", taken.pack())
    keeper._keep(client)  # it takes over from a worker that was killed, whose process had taken a message
    assert answer_to(client, taken)["problem"] == DIED
    client.rpush(PLAYGROUND_IN_PROGRESS, taken.pack())
    keeper._process = ended()
    keeper._keep(client)
    assert (answer_to(client, taken)["status"], client.llen(PLAYGROUND_IN_PROGRESS), keeper.pid) == (503, 0, None)
    # A process that never comes to its work: whoever waits is told, and it is not started for ever.
    keeper._process, keeper._began = ended(), 1e12
    client.rpush(PLAYGROUND_QUEUE, waiting.pack())
    client.set(PLAYGROUND_KEEP_ALIVE, "1")
    keeper._keep(client)
    assert "does not start" in answer_to(client, waiting)["problem"]
    assert (client.exists(PLAYGROUND_KEEP_ALIVE), keeper.pid) == (0, None)


def test_one_keeper_rules(redis_server: RedisProcess) -> None:
    client, first, second = redis_server.client(), AnswerProcessSupervisor(), AnswerProcessSupervisor()
    assert [first._rules(client), second._rules(client), first._rules(client)] == [True, False, True]
    client.delete(PLAYGROUND_OWNER)  # its worker is gone, and its time is over
    assert [second._rules(client), first._rules(client)] == [True, False]
