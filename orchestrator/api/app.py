"""Assembles the REST API: routers, error handlers, security headers, and documentation that needs no CDN."""

from fastapi import APIRouter, FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles

from orchestrator.api import problems
from orchestrator.api.middleware.errors import ErrorBoundary
from orchestrator.api.middleware.headers import SafeHeaders
from orchestrator.api.middleware.request_context import RequestContext
from orchestrator.api.openai.app import create_openai
from orchestrator.api.routes import (
    accounts,
    adapters,
    audit,
    clips,
    credentials,
    datasets,
    hub,
    jobs,
    models,
    notifications,
    people,
    playground,
    queue,
    recipes,
    rehearsals,
    studio,
    uploads,
)
from orchestrator.api.schema.document import DocumentedAPI
from orchestrator.domain.plain_text import MAX_DEPTH
from orchestrator.edge.hosts import AllowedHosts
from orchestrator.edge.inline_scripts import script_sources
from orchestrator.edge.page_headers import page_policy
from orchestrator.edge.proxies import TrustedProxies
from orchestrator.release import RELEASE


def _docs(app: FastAPI) -> None:
    # Only the files of fastapi_offline are used: Swagger UI 5, which reads OpenAPI 3.1, from PyPI instead of a CDN.
    app.mount("/api/docs/assets", StaticFiles(packages=[("fastapi_offline", "static")]), name="swagger")

    @app.get("/api/docs", include_in_schema=False)
    def docs() -> HTMLResponse:
        base = "/api/docs/assets"
        page = get_swagger_ui_html(
            openapi_url="/api/openapi.json",
            title="Loreel API",
            swagger_js_url=f"{base}/swagger-ui-bundle.js",
            swagger_css_url=f"{base}/swagger-ui.css",
            swagger_favicon_url="/favicon.svg",
        )
        scripts = " ".join(sorted(script_sources(bytes(page.body).decode())))
        page.headers["Content-Security-Policy"] = page_policy(scripts)
        return page


def create_api() -> FastAPI:
    """The REST API under /api, and the OpenAI-compatible API under /v1."""
    app = DocumentedAPI(
        title="Loreel",
        version=RELEASE,
        description="Everything the pages do, for scripts. Send `Authorization: Bearer lrl_...`. No text may hold "
        f"NUL or half a surrogate pair; lists and objects are nested at most {MAX_DEPTH} deep.",
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    # The last one added is the outermost.
    app.add_middleware(ErrorBoundary, render=problems.of_app_error)
    app.add_middleware(SafeHeaders)
    app.add_middleware(RequestContext)
    app.add_middleware(AllowedHosts, refuse=problems.of_foreign_host)
    app.add_middleware(TrustedProxies)
    problems.add_handlers(app)
    v1 = APIRouter(prefix="/api/v1")
    for routes in (
        studio, accounts, credentials, datasets, clips, hub, uploads, models, jobs, recipes, rehearsals, adapters,
        playground, queue, notifications, audit, people,
    ):  # fmt: skip
        v1.include_router(routes.router)
    app.include_router(v1)
    app.include_router(accounts.cookies)
    _docs(app)
    app.mount("/v1", create_openai())
    return app
