"""Refuses websockets that pages of other sites open; Reflex on its own accepts any Origin."""

from collections.abc import Callable, Iterable
from typing import Any

from orchestrator.domain.web_addresses import split_address


def same_host_or_trusted(trusted: Iterable[str]) -> Callable[[str | None, dict[str, Any]], bool]:
    """Builds the origin check that python-engineio calls.

    Browsers send Origin with every websocket handshake, and scripts in a page cannot change it. A page that this host
    served has the name of this host there.

    Args:
        trusted: further origins that are accepted, such as "https://studio.example.org".

    Returns:
        A function (origin, WSGI environ) -> whether the connection is accepted.
    """
    allowed = {origin.rstrip("/").lower() for origin in trusted}

    def allows(origin: str | None, environ: dict[str, Any]) -> bool:
        if not origin:
            return False
        host = str(environ.get("HTTP_HOST", "")).lower()
        return origin.rstrip("/").lower() in allowed or (bool(host) and split_address(origin).netloc.lower() == host)

    return allows


def guard_websocket(app: Any, trusted: Iterable[str]) -> None:
    """Installs the check in the engine of a Reflex app; does nothing for an app without state."""
    if app.sio is not None:
        app.sio.eio.cors_allowed_origins = same_host_or_trusted(trusted)
