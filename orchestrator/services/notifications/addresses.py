"""Which machines a person may make this one call: those of the public internet, unless a setting says otherwise."""

import socket

from orchestrator.services.url_safety import is_public
from orchestrator.settings import get_settings


class Unreachable(Exception):
    """The address cannot be called; the message says why."""


def public_address(host: str, port: int) -> str:
    """An IP address of the host that may be called. Call that very address, or the name may lead elsewhere by then.

    Raises:
        Unreachable: unknown, or one of its addresses is private (this machine, its network, a cloud's metadata).
    """
    try:
        found = {str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
    except OSError as error:
        raise Unreachable(f"The name {host} is not known.") from error
    if not get_settings().allow_private_urls and not all(is_public(address) for address in found):
        raise Unreachable(f"{host} leads to a private address, which may not be called from here.")
    return sorted(found, key=lambda address: ":" in address)[0]
