"""Gives each request an id, which its answer and all its log records carry, and writes one line for each refusal."""

import re
import secrets
import time

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from orchestrator.services.audit.origin import begin_origin

log = structlog.get_logger(__name__)
HEADER = "X-Request-ID"
_FOREIGN = re.compile(r"[A-Za-z0-9._-]{8,64}")


class RequestContext:
    """Plain ASGI, outermost. A well-formed id of a proxy is used."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get(HEADER, "")
        request_id = given if _FOREIGN.fullmatch(given) else secrets.token_hex(8)
        began = time.perf_counter()
        begin_origin((scope.get("client") or ("",))[0])

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[HEADER] = request_id
                if message["status"] >= 400:
                    _log_refusal(scope, message["status"], time.perf_counter() - began)
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            await self._app(scope, receive, answer)


def _log_refusal(scope: Scope, status: int, took_s: float) -> None:
    """The path only: queries may contain tickets, and bodies are private."""
    write = log.warning if status >= 500 else log.info
    state = scope.get("state") or {}
    write(
        "request.refused",
        method=scope["method"],
        path=scope["path"][:200],
        status=status,
        ms=round(took_s * 1000, 1),
        client=(scope.get("client") or ("",))[0],
        **({"user": state["user_id"]} if "user_id" in state else {}),
    )
