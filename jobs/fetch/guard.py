"""Keeps a fetching process out of private networks: each connection is checked by the address it really goes to."""

import sys
from typing import Any

from orchestrator.services.url_safety import is_public


class Refused(Exception):
    """A connection into a private network was prevented."""


REFUSED: list[str] = []
"""Addresses that were refused, since libraries wrap the exception in their own."""


def only_public() -> None:
    """Lets this process connect to public addresses only; it cannot be undone.

    The interpreter calls the hook at each connect of any library, after names were resolved: a redirect, or a name
    that resolves to another address the second time, is checked like the first address.
    """

    def check(event: str, args: tuple[Any, ...]) -> None:
        if event != "socket.connect":
            return
        address = args[1]
        host = str(address[0]) if isinstance(address, tuple) and address else "a socket of this machine"
        if not is_public(host):
            REFUSED.append(host)
            raise Refused(host)

    sys.addaudithook(check)
