"""Assembles the REST API: routers, the problem renderer, headers, and documentation without a CDN."""

from collections.abc import Awaitable, Callable

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles
from swagger_ui_bundle import swagger_ui_path

from orchestrator.api import problems
from orchestrator.api.routes import accounts, datasets, jobs, models, studio, uploads

VERSION = "0.1.0"


async def _headers(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    response = await call_next(request)
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Referrer-Policy", "same-origin")
    if not request.url.path.startswith("/api/docs"):
        # Answers are somebody's own; media routes set a private max-age themselves.
        response.headers.setdefault("Cache-Control", "no-store")
        response.headers.setdefault("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
    return response


def _docs(app: FastAPI) -> None:
    app.mount("/api/docs/assets", StaticFiles(directory=swagger_ui_path), name="swagger")

    @app.get("/api/docs", include_in_schema=False)
    def docs() -> HTMLResponse:
        base = "/api/docs/assets"
        return get_swagger_ui_html(
            openapi_url="/api/openapi.json",
            title="Loreel API",
            swagger_js_url=f"{base}/swagger-ui-bundle.js",
            swagger_css_url=f"{base}/swagger-ui.css",
            swagger_favicon_url="/favicon.svg",
        )


def create_api() -> FastAPI:
    """The whole API; each route starts with /api."""
    app = FastAPI(
        title="Loreel",
        version=VERSION,
        description="Everything the pages do, for scripts. Send `Authorization: Bearer lrl_...`.",
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    app.middleware("http")(_headers)
    problems.add_handlers(app)
    v1 = APIRouter(prefix="/api/v1")
    for routes in (studio, accounts, datasets, uploads, models, jobs):
        v1.include_router(routes.router)
    app.include_router(v1)
    app.include_router(accounts.cookies)
    _docs(app)
    return app
