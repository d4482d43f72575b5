"""`/livez` and `/readyz`, for balancers and service managers: the first asks the process, the second what it needs."""

from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from orchestrator.stack.readiness import readiness

LIVE, READY = "/livez", "/readyz"
_HEADERS = {"Cache-Control": "no-store"}
_RETRY = {"Retry-After": "5"}


class Probes:
    """Answers both by whatever name it is asked, since a balancer knows the address only. Plain ASGI."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] not in (LIVE, READY):
            await self._app(scope, receive, send)
        elif scope["method"] not in ("GET", "HEAD"):
            await Response(status_code=405, headers={"Allow": "GET, HEAD"})(scope, receive, send)
        else:
            answer = _alive() if scope["path"] == LIVE else await _ready()
            await answer(scope, receive, send)


def _alive() -> JSONResponse:
    """The event loop turns: nothing else is asked, for a restart brings no store back."""
    return JSONResponse({"status": "alive"}, headers=_HEADERS)


async def _ready() -> JSONResponse:
    """503 while something is missing, and what."""
    checks = await readiness()
    is_ready = all(word == "ok" for word in checks.values())
    body = {"status": "ready" if is_ready else "not ready", "checks": checks}
    return JSONResponse(body, 200 if is_ready else 503, headers=_HEADERS if is_ready else _HEADERS | _RETRY)
