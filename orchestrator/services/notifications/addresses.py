"""Checks the address of a webhook: only public IP addresses are called, unless a setting allows private ones."""

import socket

from orchestrator.services.url_safety import is_public
from orchestrator.settings import get_settings


class Unreachable(Exception):
    """The address must not or cannot be called; the message says why."""


def public_address(host: str, port: int) -> str:
    """Resolves the host to an IP address that may be called.

    The caller must connect to the returned address: the name could resolve to a private one later (DNS rebinding).

    Raises:
        Unreachable: the name is unknown, or one of its addresses is private (this machine, its network, a cloud's
            metadata service).
    """
    try:
        addresses = {str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
    except (OSError, UnicodeError) as error:
        raise Unreachable(f"The name {host} is not known.") from error
    if not get_settings().allow_private_urls and not all(is_public(address) for address in addresses):
        raise Unreachable(f"{host} leads to a private address, which may not be called from here.")
    return sorted(addresses, key=lambda address: ":" in address)[0]
