"""How many websockets one person, and one address without a login, may hold open: each tab costs memory here."""

import time
from collections import Counter, deque
from http.cookies import CookieError, SimpleCookie

import structlog
from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from orchestrator.services.auth.sessions import COOKIE_NAME, actor_from_token
from orchestrator.services.db import session_scope
from orchestrator.services.rate_limits import client_network

log = structlog.get_logger(__name__)
PER_PERSON = 300
PER_ADDRESS = 40
"""Of people who are not signed in: the landing page and the forms of login and sign-up."""
NEW_PER_MINUTE = 120
"""Sockets without a login that one address may open in a minute: what a closed one leaves is kept for two."""
_MOST_ADDRESSES = 10_000


class SocketLimits:
    """Refuses a websocket in its handshake. Plain ASGI; runs in the event loop only, so it needs no lock."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._open: Counter[str] = Counter()
        self._opened: dict[str, deque[float]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket":
            await self._app(scope, receive, send)
            return
        person = await run_in_threadpool(_person_of, _cookie(Headers(scope=scope).get("cookie", "")))
        network = client_network((scope.get("client") or ("",))[0])
        key, most = (f"person {person}", PER_PERSON) if person else (f"address {network}", PER_ADDRESS)
        if self._open[key] >= most or (not person and not self._may_open(network)):
            log.info("websocket.refused", user=person, client=network, open=self._open[key])
            await receive()
            await send({"type": "websocket.close", "code": 1013, "reason": "Too many pages are open."})
            return
        self._open[key] += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._open[key] -= 1
            if not self._open[key]:
                del self._open[key]

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
