"""Believes X-Forwarded-For and X-Forwarded-Proto where a trusted proxy sends them, and nowhere else."""

import ipaddress
from functools import lru_cache

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from orchestrator.settings import get_settings

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@lru_cache(maxsize=4)
def networks(text: str) -> tuple[Network, ...]:
    """The networks of a comma-separated list of addresses and CIDRs.

    Raises:
        ValueError: one of them is neither.
    """
    return tuple(ipaddress.ip_network(part.strip(), strict=False) for part in text.split(",") if part.strip())


def is_trusted(address: str, trusted: tuple[Network, ...]) -> bool:
    """Whether the address lies in one of the networks."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    return any(ip in network for network in trusted)


def client_behind(peer: str, forwarded_for: str, trusted: tuple[Network, ...]) -> str:
    """The nearest address on the way that is no trusted proxy.

    Clients may write anything into the header; each proxy adds the address that it saw at its right end.
    """
    address = peer
    for part in reversed([part.strip() for part in forwarded_for.split(",") if part.strip()]):
        if not is_trusted(address, trusted):
            break
        try:
            address = str(ipaddress.ip_address(part))
        except ValueError:
            break
    return address


class TrustedProxies:
    """Puts the client's address and the scheme it used in the place of the proxy's. Plain ASGI, for websockets too."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        trusted = networks(get_settings().trusted_proxies)
        peer = (scope.get("client") or ("", 0))[0] if scope["type"] in ("http", "websocket") else ""
        if trusted and is_trusted(peer, trusted):
            headers = Headers(scope=scope)
            found = client_behind(peer, ",".join(headers.getlist("x-forwarded-for")), trusted)
            scope = dict(scope) | {"client": (found, 0)}
            proto = headers.get("x-forwarded-proto", "").rpartition(",")[2].strip().lower()
            if proto in ("http", "https"):
                secure = {"http": "ws", "https": "wss"} if scope["type"] == "websocket" else {}
                scope["scheme"] = secure.get(proto, proto)
        await self._app(scope, receive, send)
