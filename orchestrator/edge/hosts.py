"""Answers only to the names this studio is known by, so that no other site's name leads to it (DNS rebinding)."""

import ipaddress
import re
import socket
from collections.abc import Callable

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from orchestrator.domain.web_addresses import split_address
from orchestrator.settings import Settings, get_settings

_HOST = re.compile(r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9_][A-Za-z0-9._-]*)(?::[0-9]{1,5})?")
_WILDCARDS = ("0.0.0.0", "::", "")
_SENTENCE = (
    "This studio is not known by that name. Its administrator adds the name to LOREEL_ALLOWED_HOSTS or sets "
    "LOREEL_PUBLIC_URL."
)


def host_of(header: str) -> str:
    """The name or address of a Host header without its port, in lower case; "" for what is none."""
    found = _HOST.fullmatch(header)
    return found[1].strip("[]").rstrip(".").lower() if found else ""


def is_allowed(header: str, settings: Settings) -> bool:
    """Whether the Host header names this studio.

    Addresses are good where the studio listens on all of them: a name that leads here is what rebinding needs.
    """
    host = host_of(header)
    if not host:
        return False
    named = {part.strip().lower() for part in settings.allowed_hosts.split(",") if part.strip()}
    if "*" in named or host in named or host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        ip = ipaddress.ip_address(host)
    except ValueError:
        known = {
            host_of(split_address(url.strip()).netloc)
            for url in (settings.public_url, *settings.trusted_origins.split(","))
        }
        own = {socket.gethostname().lower()} if settings.host in _WILDCARDS else {settings.host.lower()}
        return host in known | own
    return ip.is_loopback or settings.host in _WILDCARDS or host == settings.host


def _names_this_studio(headers: Headers) -> bool:
    """Whether the one Host header does; of two, a proxy in front may have looked at the other one."""
    hosts = headers.getlist("host")
    return len(hosts) == 1 and is_allowed(hosts[0], get_settings())


def _plain_text(sentence: str) -> Response:
    return PlainTextResponse(f"{sentence}\n", 421, {"Connection": "close"})


class AllowedHosts:
    """Refuses requests and websockets with a foreign Host. Plain ASGI.

    Args:
        refuse: makes the answer, with the status 421, from a sentence.
    """

    def __init__(self, app: ASGIApp, refuse: Callable[[str], Response] | None = None) -> None:
        self._app, self._refuse = app, refuse or _plain_text

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket") or _names_this_studio(Headers(scope=scope)):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008})
        else:
            await self._refuse(_SENTENCE)(scope, receive, send)
