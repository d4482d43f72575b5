"""A question that its client leaves gives its place back at once, over real connections to a real API."""

import asyncio
import json
import socket
import threading
import time
from collections.abc import AsyncGenerator, Iterator
from typing import Any

import httpx
import pytest
from sqlmodel import delete

from orchestrator.api.event_streams import ASK_AGAIN_S
from orchestrator.domain.datasets import Clip, Dataset, DatasetStatus
from orchestrator.domain.errors import TooMany, Unavailable
from orchestrator.domain.playground import InferenceRequest
from orchestrator.domain.redis_keys import PLAYGROUND_OWNER, PLAYGROUND_QUEUE, playground_answer, playground_open
from orchestrator.domain.tasks import Task
from orchestrator.domain.users import ApiToken
from orchestrator.services.auth.limits import forget_clients
from orchestrator.services.db import session_scope
from orchestrator.services.models.builtin import ensure_builtin
from orchestrator.services.playground import queue
from orchestrator.services.playground.open_questions import EXPIRY_S, MAX_OPEN
from tests.api_client import sign_in
from tests.forked_processes import AnyProcess
from tests.studio import RedisProcess, start_process, until

Processes = list[AnyProcess]
QUESTION = InferenceRequest(model_id=1, clip_id=1)


class Studio:
    """A served API, a user with a clip and a token, and Redis where a worker seems to be."""

    def __init__(self, home: Any, redis_server: RedisProcess, processes: Processes) -> None:
        forget_clients()
        client = sign_in("ada")
        self.user = int(client.get("/api/v1/me").json()["id"])
        scopes = {"name": "chat", "scopes": ["read", "write"]}
        self.token = client.post("/api/v1/tokens", json=scopes).json()["token"]
        (home / "storage").mkdir()
        (home / "storage" / "a.mp4").write_bytes(b"-")
        with session_scope() as session:
            ensure_builtin(session)
            made = Dataset(owner_id=self.user, name="d", task=Task.CAPTIONING, status=DatasetStatus.READY, clip_count=1)
            session.add(made)
            session.flush()
            clip = Clip(dataset_id=made.id or 0, name="a.mp4", path="a.mp4", content_hash="h", caption="a disc")
            session.add(clip)
            session.flush()
            self.clip = clip.id or 0
        self.model = client.get("/v1/models").json()["data"][0]["id"]
        self.redis = redis_server.client()
        self.redis.set(PLAYGROUND_OWNER, "worker")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        target = ["--interface", "asgi", "--factory", "tests.fakes.quick_hashes:create_api", "--port", str(self.port)]
        processes.append(start_process("-m", "granian", *target, log=home / "api.log"))
        until(self._answers, 60, "the API answers")

    def _answers(self) -> bool:
        try:
            return httpx.get(f"http://127.0.0.1:{self.port}/api/v1/health").is_success
        except httpx.HTTPError:
            return False

    @property
    def open(self) -> int:
        found: Any = self.redis.zcard(playground_open(self.user))
        return int(found)

    def send(self, path: str, body: dict[str, Any]) -> socket.socket:
        """A request whose answer has not been read yet."""
        raw = json.dumps(body).encode()
        head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {self.token}\r\n"
        head += f"Content-Type: application/json\r\nContent-Length: {len(raw)}\r\n\r\n"
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=10)
        connection.sendall(head.encode() + raw)
        return connection

    def chat(self, stream: bool) -> socket.socket:
        content = [{"type": "video_url", "video_url": {"url": f"clip:{self.clip}"}}]
        body = {"model": self.model, "stream": stream, "messages": [{"role": "user", "content": content}]}
        return self.send("/v1/chat/completions", body)

    def infer(self) -> socket.socket:
        return self.send("/api/v1/infer", {"model_id": self.model.rpartition("-")[2], "clip_id": self.clip})


@pytest.fixture
def studio(home: Any, redis_server: RedisProcess, processes: Processes) -> Studio:
    return Studio(home, redis_server, processes)


@pytest.fixture
def talker(redis_server: RedisProcess) -> Iterator[None]:
    """Answers every question with words that never end, as a slow model does."""
    client, over = redis_server.client(), threading.Event()
    answering: list[str] = []

    def talk() -> None:
        while not over.is_set():
            raw: Any = client.lpop(PLAYGROUND_QUEUE)
            if raw is not None:
                answering.append(playground_answer(json.loads(raw)["id"]))
            for key in answering:
                client.rpush(key, json.dumps({"text": "word ", "who": "base"}))
            time.sleep(0.05)

    thread = threading.Thread(target=talk, daemon=True)
    thread.start()
    yield
    over.set()
    thread.join(5)


def test_questions_that_wait_are_left_one_after_another(studio: Studio) -> None:
    for ask in (lambda: studio.chat(True), lambda: studio.chat(False), studio.infer):
        for _ in range(MAX_OPEN + 2):
            connection = ask()
            until(lambda: studio.open == 1, 10, "the question is open")
            connection.close()
            until(lambda: studio.open == 0, 3, "its place is free again")
    assert studio.redis.llen(PLAYGROUND_QUEUE) == 0  # nor does it stand in others' way
    assert not studio.redis.keys("loreel:playground:*waits")


def test_a_stream_ends_with_its_token(studio: Studio, talker: None) -> None:
    connection = studio.chat(True)
    received = b""
    while b"word" not in received:
        received += connection.recv(4096)
    with session_scope() as session:
        session.exec(delete(ApiToken))
    connection.settimeout(1)
    end = time.monotonic() + 2 * ASK_AGAIN_S + 10
    while b"invalid_api_key" not in received and time.monotonic() < end:
        received = received[-200:] + connection.recv(4096)
    assert b"invalid_api_key" in received
    until(lambda: studio.open == 0, 3, "its place is free again")


def test_streams_are_left_in_the_middle_of_their_answer(studio: Studio, talker: None) -> None:
    streams = [studio.chat(True) for _ in range(MAX_OPEN)]
    for connection in streams:
        received = b""
        while b"word" not in received:
            received += connection.recv(4096)
    assert studio.open == MAX_OPEN
    extra = studio.chat(True)
    assert b" 429 " in extra.recv(4096)
    for connection in (*streams, extra):
        connection.close()
    until(lambda: studio.open == 0, 3, "all places are free again")


def test_a_refusal_renews_nothing_and_a_lost_process_frees_its_places_soon(
    home: Any, redis_server: RedisProcess
) -> None:
    client: Any = redis_server.client()
    client.set(PLAYGROUND_OWNER, "worker")
    now = time.time()
    client.zadd(playground_open(1), {f"lost-{number}": now + EXPIRY_S for number in range(MAX_OPEN)})

    async def ask() -> None:
        async for _ in queue.ask(1, QUESTION):
            pass

    for _ in range(3):
        with pytest.raises(TooMany, match="8 open questions"):
            asyncio.run(ask())
    assert max(score for _, score in client.zrange(playground_open(1), 0, -1, withscores=True)) == now + EXPIRY_S
    client.zadd(playground_open(1), {f"lost-{number}": now - 1 for number in range(MAX_OPEN)})
    threading.Timer(1.0, lambda: client.delete(PLAYGROUND_OWNER)).start()
    with pytest.raises(Unavailable):
        asyncio.run(ask())
    assert client.zcard(playground_open(1)) == 0


def test_a_question_is_closed_in_a_scope_that_cancels_every_await(home: Any, redis_server: RedisProcess) -> None:
    """Starlette's way: an anyio scope, in which also the awaits of a `finally` block are cancelled."""
    import anyio

    client: Any = redis_server.client()
    client.set(PLAYGROUND_OWNER, "worker")

    async def leave() -> None:
        records: AsyncGenerator[dict[str, Any]] = queue.ask(1, QUESTION)
        with anyio.CancelScope() as scope:
            asyncio.get_running_loop().call_later(0.3, scope.cancel)
            async for _ in records:
                pass
        assert scope.cancelled_caught

    async def many() -> None:
        for _ in range(MAX_OPEN + 1):
            await leave()
        await asyncio.sleep(0.3)

    asyncio.run(many())
    assert client.zcard(playground_open(1)) == 0
    assert client.llen(PLAYGROUND_QUEUE) == 0
