"""Who keeps the process that answers: one keeper among all workers, and nobody waits for a process that died."""

import json
import subprocess
import sys
from typing import Any

from jobs.playground.keeper import DIED, AnswerProcessSupervisor
from orchestrator.domain.playground import Letter, Wish
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


def said(client: Any, letter: Letter) -> dict[str, Any]:
    found = client.lpop(playground_answer(letter.id))
    return json.loads(found) if found else {}


def test_a_dead_process_is_told_to_whoever_waits(redis_server: RedisProcess) -> None:
    client, keeper = redis_server.client(), AnswerProcessSupervisor()
    held, waiting = Letter("held", 1, Wish(model_id=1)), Letter("waiting", 1, Wish(model_id=1))
    client.rpush(PLAYGROUND_IN_PROGRESS, b"not a letter", held.pack())
    keeper._keep(client)  # it takes over from a worker that was killed, whose process held a letter
    assert said(client, held)["problem"] == DIED
    client.rpush(PLAYGROUND_IN_PROGRESS, held.pack())
    keeper._process = ended()
    keeper._keep(client)
    assert (said(client, held)["status"], client.llen(PLAYGROUND_IN_PROGRESS), keeper.pid) == (503, 0, None)
    # A process that never comes to its work: whoever waits is told, and it is not started for ever.
    keeper._process, keeper._began = ended(), 1e12
    client.rpush(PLAYGROUND_QUEUE, waiting.pack())
    client.set(PLAYGROUND_KEEP_ALIVE, "1")
    keeper._keep(client)
    assert "does not start" in said(client, waiting)["problem"]
    assert (client.exists(PLAYGROUND_KEEP_ALIVE), keeper.pid) == (0, None)


def test_one_keeper_rules(redis_server: RedisProcess) -> None:
    client, first, second = redis_server.client(), AnswerProcessSupervisor(), AnswerProcessSupervisor()
    assert [first._rules(client), second._rules(client), first._rules(client)] == [True, False, True]
    client.delete(PLAYGROUND_OWNER)  # its worker is gone, and its time is over
    assert [second._rules(client), first._rules(client)] == [True, False]
