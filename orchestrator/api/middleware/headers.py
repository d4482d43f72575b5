"""Headers that every answer of the API carries unless its route says otherwise."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from orchestrator.edge.page_headers import NO_PAGE, transport_headers


class SafeHeaders:
    """Adds security headers. Plain ASGI middleware, so that bodies and events stream through unbuffered."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.setdefault("X-Content-Type-Options", "nosniff")
                headers.setdefault("Referrer-Policy", "same-origin")
                for name, value in transport_headers(scope).items():
                    headers.setdefault(name, value)
                headers.setdefault("Content-Security-Policy", NO_PAGE)
                if not scope["path"].startswith("/api/docs"):
                    # Responses hold private data; routes of media set a private max-age themselves.
                    headers.setdefault("Cache-Control", "no-store")
            await send(message)

        await self._app(scope, receive, send_with_headers if scope["type"] == "http" else send)
