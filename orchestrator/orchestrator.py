"""Assembly only: the app, its pages, REST and documentation on the same port, and what lives as long as it does."""

from importlib.util import find_spec

import reflex as rx
from starlette.types import ASGIApp, Receive, Scope, Send

from orchestrator.edge.hosts import AllowedHosts
from orchestrator.edge.page_headers import PageHeaders
from orchestrator.edge.probes import Probes
from orchestrator.edge.proxies import TrustedProxies
from orchestrator.edge.socket_limits import SocketLimits
from orchestrator.edge.threads import event_threads_lifespan
from orchestrator.logs import configure_logging
from orchestrator.pages.registry import PAGES, load
from orchestrator.services.db import set_purpose
from orchestrator.services.engine_purpose import Purpose
from orchestrator.settings import Settings, get_settings
from orchestrator.stack.companions import companions_lifespan
from orchestrator.stack.docs.serving import PREFIX as DOCS
from orchestrator.stack.docs.serving import docs_app
from orchestrator.stack.frontend import STATIC_DIR
from orchestrator.stack.web_plugin import own_origins
from orchestrator.ui.chrome import SOCIAL_IMAGE, app_chrome, social_tags
from orchestrator.ui.patterns.connection_notice import connection_notice
from orchestrator.websocket.errors import on_backend_error, on_frontend_error
from orchestrator.websocket.namespace import guard_events
from orchestrator.websocket.origins import guard_websocket
from orchestrator.websocket.tab_states import use_tab_states


def _mount_api(backend: ASGIApp) -> ASGIApp:
    """Hands /api, and /v1 of OpenAI's clients, to FastAPI, /docs to the documentation, and the rest to Reflex."""
    api: ASGIApp = load("orchestrator.api.app:create_api")()
    pages = at_the_edge(backend)
    docs = at_the_edge(docs_app())

    async def dispatch(scope: Scope, receive: Receive, send: Send) -> None:
        path = f"{scope['path']}/" if scope["type"] == "http" else ""
        app = api if path.startswith(("/api/", "/v1/")) else docs if path.startswith(f"{DOCS}/") else pages
        await app(scope, receive, send)

    return Probes(dispatch)


def at_the_edge(app: ASGIApp) -> ASGIApp:
    """Pages and websocket behind the checks of proxies and hosts; the API has the same ones inside."""
    return TrustedProxies(AllowedHosts(SocketLimits(PageHeaders(app, STATIC_DIR))))


def _add_pages(target: rx.App, settings: Settings) -> None:
    for page in PAGES:
        if page.dev and not settings.dev:
            continue
        named = not page.title.startswith("orchestrator.")
        target.add_page(
            load(f"{page.module}:{page.function}"),
            route=page.route,
            title=page.title if named else load(page.title),
            description=page.description,
            image=SOCIAL_IMAGE,
            meta=social_tags(page.title if named else "Loreel", page.description),
            on_load=[load(handler) for handler in page.on_load] or None,
        )


def _exists(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def create_app(settings: Settings) -> rx.App:
    """The whole web process."""
    configure_logging("web")  # `reflex run` comes here first
    set_purpose(Purpose.WEB)
    transformer = _mount_api if _exists("orchestrator.api.app") else None
    made = rx.App(
        html_lang="en",
        api_transformer=transformer,
        backend_exception_handler=on_backend_error,
        frontend_exception_handler=on_frontend_error,
        **app_chrome(),
    )
    made.app_wraps[5, "Overlay"] = lambda stateful: connection_notice() if stateful else None
    if _exists("orchestrator.states.shell.session"):
        use_tab_states(made, load("orchestrator.states.shell.session:is_signed_in"))
    guard_events(made)
    guard_websocket(made, own_origins(settings.port, settings.trusted_origins))
    made.register_lifespan_task(event_threads_lifespan)
    made.register_lifespan_task(companions_lifespan)
    if _exists("orchestrator.states.shared.live"):
        made.register_lifespan_task(load("orchestrator.states.shared.live:hub_lifespan"))
    _add_pages(made, settings)
    return made


app = create_app(get_settings())
