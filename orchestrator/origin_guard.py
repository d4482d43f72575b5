"""Refuses websockets that another site's page opens: Reflex itself would reflect any Origin."""

from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urlsplit


def same_host_or_trusted(trusted: Iterable[str]) -> Callable[[str, dict[str, Any]], bool]:
    """A check (origin, WSGI-like environ) -> bool for python-engineio.

    Browsers always send Origin on a websocket handshake, and scripts cannot change it; a page that
    was served by this host carries the host's own name there.
    """
    allowed = {origin.rstrip("/").lower() for origin in trusted}

    def allows(origin: str, environ: dict[str, Any]) -> bool:
        host = str(environ.get("HTTP_HOST", "")).lower()
        return origin.rstrip("/").lower() in allowed or (bool(host) and urlsplit(origin).netloc.lower() == host)

    return allows


def guard_websocket(app: Any, trusted: Iterable[str]) -> None:
    """Puts the check into the app's engine; a no-op for an app without state."""
    if app.sio is not None:
        app.sio.eio.cors_allowed_origins = same_host_or_trusted(trusted)
