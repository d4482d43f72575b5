"""Serves the built documentation at /docs: static files, open to everyone, that may load nothing from another host."""

from pathlib import Path

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from orchestrator.edge.inline_scripts import sources_of_folder
from orchestrator.edge.page_headers import page_policy
from orchestrator.stack.docs.site import SITE_DIR

PREFIX = "/docs"
NOT_BUILT = "The documentation is not built yet. Run `./loreel docs --build`, then reload this page.\n"
HEADERS = {
    "Cache-Control": "no-cache",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


class _Site(StaticFiles):
    """The site's folder, which may appear after the server has started."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory=directory, html=True, check_dir=False)
        self._index = directory / "index.html"

    async def get_response(self, path: str, scope: Scope) -> Response:
        if not self._index.exists():
            return PlainTextResponse(NOT_BUILT, status_code=503)
        return await super().get_response(path, scope)


def _not_found(_request: object, refused: Exception) -> Response:
    status = refused.status_code if isinstance(refused, HTTPException) else 500
    return PlainTextResponse("There is no such page in the documentation.\n", status_code=status)


def with_headers(app: ASGIApp, site: Path) -> ASGIApp:
    """The same app, whose answers carry the headers above and a policy that admits the site's own inline scripts."""

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                policy = page_policy(sources_of_folder(site))
                MutableHeaders(scope=message).update(HEADERS | {"Content-Security-Policy": policy})
            await send(message)

        await app(scope, receive, send_with_headers)

    return wrapped


def docs_app(site: Path = SITE_DIR) -> ASGIApp:
    """The app for every path under /docs."""
    routes = [Mount(PREFIX, app=_Site(site))]
    return with_headers(Starlette(routes=routes, exception_handlers={HTTPException: _not_found}), site)
