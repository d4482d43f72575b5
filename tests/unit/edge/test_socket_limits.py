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
    monkeypatch.setattr(socket_limits, "WITHOUT_LOGIN", 3)
    monkeypatch.setattr(socket_limits, "PONG_S", 0.2)
    monkeypatch.setattr(socket_limits, "PONG_SIGNED_IN_S", 0.2)
    monkeypatch.setattr(socket_limits, "_person_of", lambda token: {"ada-1": 1, "ada-2": 1}.get(token))


class Sockets:
    """Websockets that stay open until `close`."""

    def __init__(self) -> None:
        self.guard = SocketLimits(self._serve)
        self.closed: list[str] = []

    async def _serve(self, scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        while (await receive())["type"] != "websocket.disconnect":
            pass
        self.closed.append(scope["client"][0])

    @asynccontextmanager
    async def open(self, ip: str, cookie: str = "") -> AsyncIterator[str]:
        """What the handshake is answered with."""
        answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()

        arrived = 0

        async def receive() -> dict[str, Any]:
            nonlocal arrived
            arrived += 1
            if arrived > 1:
                await asyncio.Event().wait()
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


def test_one_more_than_all_may_have_closes_one_of_the_address_with_the_most() -> None:
    async def visit() -> None:
        sockets = Sockets()
        async with sockets.open("10.0.0.1"), sockets.open("10.0.0.1"), sockets.open("10.0.0.2"):
            async with sockets.open("10.0.0.3") as newcomer:
                await asyncio.sleep(0.05)
                assert (newcomer, sockets.closed) == (ACCEPT, ["10.0.0.1"])
            async with sockets.open("10.0.0.4", "ada-1"):
                await asyncio.sleep(0.05)
                assert sockets.closed == ["10.0.0.1"], "a person who is signed in closes nothing"
        assert not sockets.guard._open
        assert not sockets.guard._without_login

    asyncio.run(visit())


@pytest.mark.parametrize("cookie", ["", "ada-1"])
@pytest.mark.parametrize("answers", [True, False])
def test_a_socket_that_answers_no_ping_is_closed(cookie: str, answers: bool) -> None:
    async def visit() -> list[Any]:
        heard: list[Any] = []
        arriving = [{"type": "websocket.connect"}, {"type": "websocket.receive", "text": "3"}]

        async def app(_scope: Any, receive: Any, send: Any) -> None:
            await receive()
            await send({"type": "websocket.accept"})
            await send({"type": "websocket.send", "bytes": None, "text": "2"})
            while not heard or heard[-1]["type"] != "websocket.disconnect":
                heard.append(await asyncio.wait_for(receive(), 1))

        async def receive() -> dict[str, Any]:
            if len(arriving) == 1 and not answers:
                await asyncio.Event().wait()
            if not arriving:
                await asyncio.sleep(0.5)
                return {"type": "websocket.disconnect", "code": 1001}
            return arriving.pop(0)

        async def send(_message: Any) -> None:
            pass

        headers = [(b"cookie", f"{COOKIE_NAME}={cookie}".encode())] if cookie else []
        await SocketLimits(app)({"type": "websocket", "client": ("10.0.0.1", 1), "headers": headers}, receive, send)
        return [message.get("code", message.get("text")) for message in heard]

    assert asyncio.run(visit()) == (["3", 1001] if answers else [1008])


def test_a_session_is_asked_for_once_and_its_end_closes_all_its_tabs(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, ended = list[str](), set[str]()

    def has_ended(token: str) -> bool:
        asked.append(token)
        return token in ended

    monkeypatch.setattr(socket_limits, "ASK_AGAIN_S", 0.05)
    monkeypatch.setattr(socket_limits, "_has_ended", has_ended)

    async def visit() -> None:
        sockets = Sockets()
        async with (
            sockets.open("10.0.0.1", "ada-1"),
            sockets.open("10.0.0.2", "ada-1"),
            sockets.open("10.0.0.3", "ada-2"),
        ):
            await asyncio.sleep(0.07)
            assert sorted(asked) == ["ada-1", "ada-2"]
            ended.add("ada-1")
            await asyncio.sleep(0.1)
            assert sorted(sockets.closed) == ["10.0.0.1", "10.0.0.2"]
        assert not sockets.guard._of_sessions._open
        assert not sockets.guard._of_sessions._asking

    asyncio.run(visit())
