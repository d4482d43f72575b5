"""The last handler: what no route expected becomes one answer and one record, before any server sees it."""

import errno
from collections.abc import Callable

import structlog
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from orchestrator.api.disconnect import BodyTooSlow
from orchestrator.domain.errors import AppError, DiskFull, Invalid
from orchestrator.services.db import why_away
from orchestrator.services.store_errors import of_store

log = structlog.get_logger(__name__)
BROKEN = "Something went wrong on our side. Details are in the log of the web process."
_NO_SPACE = (errno.ENOSPC, errno.EDQUOT)


class _Broken(AppError):
    status = 500


class _BodyTooSlow(AppError):
    status = 408


def as_refusal(error: Exception) -> AppError:
    """The sentence for any error; an outage is logged as a line, our own bug with its traceback."""
    if isinstance(error, AppError):
        return error
    if isinstance(error, OSError) and error.errno in _NO_SPACE:
        return DiskFull("The disk of this studio is full. Free some space and try again.")
    known = of_store(error)
    if known is None:
        log.error("request.unexpected_error", exc_info=error)
        return _Broken(BROKEN)
    if isinstance(known, Invalid):
        log.error("request.value_not_storable", exc_info=error)
    else:
        log.warning("request.store_unavailable", error=type(error).__name__, reason=why_away(error))
    return known


class ErrorBoundary:
    """Answers an error in the API's own shape. Plain ASGI: it sits inside Starlette's own handler, which would raise
    the error once more after its answer, for the server to log it again."""

    def __init__(self, app: ASGIApp, render: Callable[[AppError], Response]) -> None:
        self._app, self._render = app, render

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except BodyTooSlow:
            if not started:
                answer = self._render(_BodyTooSlow("The body did not arrive in time. Send it again."))
                answer.headers["Connection"] = "close"
                await answer(scope, receive, send)
        except ClientDisconnect:
            return
        except Exception as error:
            refusal = as_refusal(error)
            if not started:
                await self._render(refusal)(scope, receive, send)
