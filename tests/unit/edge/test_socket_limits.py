"""One address without a login, and one person, hold only so many websockets open."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from orchestrator.edge import socket_limits
from orchestrator.edge.socket_limits import SocketLimits
from orchestrator.services.auth.sessions import COOKIE_NAME


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket_limits, "PER_ADDRESS", 2)
    monkeypatch.setattr(socket_limits, "PER_PERSON", 3)
    monkeypatch.setattr(socket_limits, "NEW_PER_MINUTE", 5)
    monkeypatch.setattr(socket_limits, "_person_of", lambda token: {"ada-1": 1, "ada-2": 1}.get(token))


class Sockets:
    """Websockets that stay open until `close`."""

    def __init__(self) -> None:
        self.guard = SocketLimits(self._serve)

    async def _serve(self, _scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "websocket.accept"})
        await asyncio.Event().wait()

    @asynccontextmanager
    async def open(self, ip: str, cookie: str = "") -> AsyncIterator[str]:
        """What the handshake is answered with."""
        answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()

        async def receive() -> dict[str, Any]:
            return {"type": "websocket.connect"}

        async def send(message: Any) -> None:
            answer.set_result(message["type"])

        headers = [(b"cookie", f"a=1; {COOKIE_NAME}={cookie}".encode())] if cookie else []
        scope = {"type": "websocket", "client": (ip, 1), "headers": headers}
        task = asyncio.create_task(self.guard(scope, receive, send))
        try:
            yield await answer
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


ACCEPT, CLOSE = "websocket.accept", "websocket.close"


def test_an_address_without_a_login_opens_two() -> None:
    async def visit() -> None:
        sockets = Sockets()
        async with sockets.open("10.0.0.1") as first, sockets.open("10.0.0.1", "forged") as second:
            assert (first, second) == (ACCEPT, ACCEPT)
            async with sockets.open("10.0.0.1") as third, sockets.open("10.0.0.2") as elsewhere:
                assert (third, elsewhere) == (CLOSE, ACCEPT)
            async with sockets.open("10.0.0.1", "ada-1") as signed_in:
                assert signed_in == ACCEPT
        async with sockets.open("10.0.0.1") as again:
            assert again == ACCEPT

    asyncio.run(visit())


def test_a_person_opens_three_wherever_from() -> None:
    async def visit() -> None:
        sockets = Sockets()
        async with (
            sockets.open("10.0.0.1", "ada-1"),
            sockets.open("10.0.0.2", "ada-2"),
            sockets.open("10.0.0.3", "ada-1") as third,
            sockets.open("10.0.0.4", "ada-2") as fourth,
        ):
            assert (third, fourth) == (ACCEPT, CLOSE)

    asyncio.run(visit())


def test_an_address_opens_only_so_many_in_a_minute() -> None:
    async def visit() -> list[str]:
        sockets, answers = Sockets(), []
        for _ in range(6):
            async with sockets.open("10.0.0.1") as answer:
                answers.append(answer)
        assert not sockets.guard._open
        return answers

    assert asyncio.run(visit()) == [ACCEPT] * 5 + [CLOSE]
