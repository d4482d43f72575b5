"""Makes the compiled frontend connect to the host it was opened on, and lets the dev server reach /api and /docs."""

from reflex_base.plugins.base import Plugin

_STATE_JS_ANCHOR = "  const endpoint = new URL(url_str);\n"
_STATE_JS_PATCH = (
    "  let endpoint = new URL(url_str);\n"
    "  // One port serves pages, websocket and API: a build is good on every host and port.\n"
    '  if (import.meta.env.PROD && typeof window !== "undefined") {\n'
    "    return new URL(endpoint.pathname, window.location.origin);\n"
    "  }\n"
)
_VITE_ANCHOR = "  server: {\n"
_BACKEND = "{ target: `http://127.0.0.1:${process.env.REFLEX_BACKEND_PORT || 8000}` }"
_VITE_PATCH = (
    "  server: {\n"
    "    // Uploads, downloads, the session cookie and the documentation live on the backend.\n"
    f"    proxy: {{ '/api': {_BACKEND}, '/docs': {_BACKEND} }},\n"
)


def own_origins(port: int, trusted: str) -> list[str]:
    """Origins that may open the websocket: this machine's own, and those the settings trust.

    The running app also admits the host it was asked for (see `orchestrator.websocket.origins`), so a
    LAN address needs no setting; everything else is refused.
    """
    own = [f"http://localhost:{port}", f"http://127.0.0.1:{port}"]
    return own + [origin.strip().rstrip("/") for origin in trusted.split(",") if origin.strip()]


def _replace_once(content: str, anchor: str, patch: str, what: str) -> str:
    if patch in content:
        return content
    if anchor not in content:
        raise RuntimeError(f"{what} has changed in this Reflex version: its anchor was not found.")
    return content.replace(anchor, patch, 1)


def use_same_origin(state_js: str) -> str:
    """The text of `state.js` with endpoints taken from the address bar in production builds."""
    return _replace_once(state_js, _STATE_JS_ANCHOR, _STATE_JS_PATCH, "state.js")


def proxy_api(vite_config: str) -> str:
    """The text of `vite.config.js` with `/api` and `/docs` handed to the backend by the dev server."""
    return _replace_once(vite_config, _VITE_ANCHOR, _VITE_PATCH, "vite.config.js")


class LoreelWebPlugin(Plugin):
    """Patches two generated files at each compile; both patches are idempotent."""

    def pre_compile(self, **context) -> None:
        """Registers the patches with Reflex's compiler."""
        context["add_modify_task"]("utils/state.js", use_same_origin)
        context["add_modify_task"]("vite.config.js", proxy_api)
