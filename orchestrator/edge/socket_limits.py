"""How many websockets one person, and one address without a login, may hold open: each tab costs memory here.

The server keeps an unfinished message of up to 64 MiB for each socket, and has no setting for it. So sockets without a
login are few, and a socket that does not answer a ping in time is closed: nothing can be sent within an unfinished
message.
"""

import asyncio
import time
from collections import Counter, deque
from http.cookies import CookieError, SimpleCookie

import structlog
from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from orchestrator.services.auth.sessions import COOKIE_NAME, actor_from_token
from orchestrator.services.db import session_scope
from orchestrator.services.rate_limits import client_network

log = structlog.get_logger(__name__)
PER_PERSON = 300
PER_ADDRESS = 16
"""Of people who are not signed in: the landing page and the forms of login and sign-up. A page that was refused tries
again by itself."""
WITHOUT_LOGIN = 64
"""Of all addresses together. One more closes the oldest of the address that has the most."""
PONG_S = 10.0
"""Seconds in which a socket without a login must answer a ping."""
PONG_SIGNED_IN_S = 30.0
ASK_AGAIN_S = 20.0
"""How often the studio looks whether the session of a socket still holds; one that has ended closes the socket."""
NEW_PER_MINUTE = 120
"""Sockets without a login that one address may open in a minute: what a closed one leaves is kept for two."""
_MOST_ADDRESSES = 10_000
_PING = "2"
"""A ping of Engine.IO, which the page answers with "3"."""


class _Socket:
    """A websocket that the studio can close while the app waits for its next message."""

    def __init__(self, receive: Receive, send: Send, pong_s: float) -> None:
        self._receive, self._send, self._pong_s = receive, send, pong_s
        self._closing = asyncio.get_running_loop().create_future()
        self._deadline: asyncio.TimerHandle | None = None

    async def send(self, message: Message) -> None:
        await self._send(message)
        if message.get("text") == _PING and self._deadline is None:
            self._deadline = asyncio.get_running_loop().call_later(self._pong_s, self.close)

    async def receive(self) -> Message:
        """The next message; after `close` that the client has gone."""
        arriving = asyncio.ensure_future(self._receive())
        try:
            await asyncio.wait((arriving, self._closing), return_when=asyncio.FIRST_COMPLETED)
        finally:
            if not arriving.done():
                arriving.cancel()
        if not arriving.done():
            return {"type": "websocket.disconnect", "code": 1008}
        self.stop_timer()
        return arriving.result()

    def close(self) -> None:
        if not self._closing.done():
            self._closing.set_result(None)

    def stop_timer(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


class _SocketsOfSessions:
    """Closes the sockets of a session once it was closed or its account disabled: they would go on showing records.

    The database is asked once for all tabs of a session: two hundred questions at once would delay every page.
    """

    def __init__(self) -> None:
        self._open: dict[str, set[_Socket]] = {}
        self._asking: dict[str, asyncio.Future[None]] = {}

    def add(self, token: str, socket: _Socket) -> None:
        self._open.setdefault(token, set()).add(socket)
        if token not in self._asking:
            self._asking[token] = asyncio.ensure_future(self._close_when_ended(token))

    def discard(self, token: str, socket: _Socket) -> None:
        sockets = self._open.get(token, set())
        sockets.discard(socket)
        if not sockets and token in self._asking:
            self._asking.pop(token).cancel()
            self._open.pop(token, None)

    async def _close_when_ended(self, token: str) -> None:
        while True:
            await asyncio.sleep(ASK_AGAIN_S)
            if await run_in_threadpool(_has_ended, token):
                break
        log.info("websocket.closed", reason="their session has ended", open=len(self._open[token]))
        for socket in tuple(self._open[token]):
            socket.close()


class SocketLimits:
    """Refuses a websocket in its handshake. Plain ASGI; runs in the event loop only, so it needs no lock."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._open: Counter[str] = Counter()
        self._opened: dict[str, deque[float]] = {}
        self._without_login: dict[str, list[_Socket]] = {}
        self._of_sessions = _SocketsOfSessions()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket":
            await self._app(scope, receive, send)
            return
        cookie = _cookie(Headers(scope=scope).get("cookie", ""))
        person = await run_in_threadpool(_person_of, cookie)
        network = client_network((scope.get("client") or ("",))[0])
        key, most = (f"person {person}", PER_PERSON) if person else (f"address {network}", PER_ADDRESS)
        if self._open[key] >= most or (not person and not self._may_open(network)):
            log.info("websocket.refused", user=person, client=network, open=self._open[key])
            await receive()
            await send({"type": "websocket.close", "code": 1013, "reason": "Too many pages are open."})
            return
        socket = _Socket(receive, send, PONG_SIGNED_IN_S if person else PONG_S)
        self._open[key] += 1
        if not person:
            self._close_one_of_most(network)
            self._without_login.setdefault(network, []).append(socket)
        if person:
            self._of_sessions.add(cookie, socket)
        try:
            await self._app(scope, socket.receive, socket.send)
        finally:
            socket.stop_timer()
            self._of_sessions.discard(cookie, socket)
            self._open[key] -= 1
            if not self._open[key]:
                del self._open[key]
            if not person:
                self._forget(network, socket)

    def _close_one_of_most(self, network: str) -> None:
        """Closes the oldest socket of the address that has the most, once all addresses have as many as they may."""
        if sum(map(len, self._without_login.values())) < WITHOUT_LOGIN:
            return
        most = max(self._without_login, key=lambda other: len(self._without_login[other]))
        socket = self._without_login[most][0]
        log.info("websocket.closed", reason="too many without a login", client=most, newcomer=network)
        self._forget(most, socket)
        socket.close()

    def _forget(self, network: str, socket: _Socket) -> None:
        if socket not in (sockets := self._without_login.get(network, [])):
            return
        sockets.remove(socket)
        if not sockets:
            del self._without_login[network]

    def _may_open(self, network: str) -> bool:
        """Counts a new socket of an address in the last minute."""
        now = time.monotonic()
        if network not in self._opened and len(self._opened) >= _MOST_ADDRESSES:
            self._opened.clear()
        times = self._opened.setdefault(network, deque())
        while times and times[0] < now - 60:
            times.popleft()
        if len(times) >= NEW_PER_MINUTE:
            return False
        times.append(now)
        return True


def _has_ended(token: str) -> bool:
    """An outage of the database ends nothing."""
    try:
        with session_scope() as session:
            return actor_from_token(session, token) is None
    except SQLAlchemyError:
        return False


def _cookie(header: str) -> str:
    try:
        found = SimpleCookie(header).get(COOKIE_NAME)
    except CookieError:
        return ""
    return found.value if found else ""


def _person_of(token: str) -> int | None:
    """The account that is signed in; None also while the database does not answer."""
    if not token:
        return None
    try:
        with session_scope() as session:
            actor = actor_from_token(session, token)
    except SQLAlchemyError:
        return None
    return actor.user_id if actor else None
