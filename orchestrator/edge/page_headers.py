"""Security headers of the pages; the API sets stricter ones itself."""

from http import HTTPStatus
from pathlib import Path

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from orchestrator.edge.inline_scripts import sources_of_folder
from orchestrator.settings import get_settings

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
}
NO_PAGE = "default-src 'none'; frame-ancestors 'none'"
_HSTS = "max-age=31536000"


def page_policy(scripts: str) -> str:
    """The content security policy of a page.

    Args:
        scripts: further sources of `script-src`, which admit its inline scripts.
    """
    return "; ".join(
        (
            "default-src 'self'",
            f"script-src 'self' {scripts}".strip(),
            "style-src 'self' 'unsafe-inline'",  # charts and toasts write style elements
            "img-src 'self' data: blob:",
            "media-src 'self' data: blob:",
            "font-src 'self' data:",
            "connect-src 'self'",
            "worker-src 'self' blob:",
            "object-src 'none'",
            "base-uri 'self'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )


def app_policy(folder: Path) -> str:
    """That of the studio's own pages. Reflex evaluates what events send (toasts, redirects): that needs unsafe-eval."""
    return page_policy(f"'unsafe-eval' {sources_of_folder(folder)}")


def transport_headers(scope: Scope) -> dict[str, str]:
    """Tells browsers that came by https to come by https only."""
    secure = scope.get("scheme") == "https" or get_settings().secure_cookies
    return {"Strict-Transport-Security": _HSTS} if secure else {}


class PageHeaders:
    """Adds what an answer does not say itself. Plain ASGI.

    Args:
        pages: the folder of the built pages, whose inline scripts the policy admits.
    """

    def __init__(self, app: ASGIApp, pages: Path) -> None:
        self._app, self._pages = app, pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in (HEADERS | transport_headers(scope)).items():
                    headers.setdefault(name, value)
                # A browser replaces stored headers by those of a 304, which does not say whether it is of a page.
                if message["status"] != HTTPStatus.NOT_MODIFIED:
                    headers.setdefault("Content-Security-Policy", self._policy(headers))
            await send(message)

        await self._app(scope, receive, send_with_headers if scope["type"] == "http" else send)

    def _policy(self, headers: Headers) -> str:
        is_page = headers.get("content-type", "").startswith("text/html")
        return app_policy(self._pages) if is_page else NO_PAGE
