"""Keeps a fetching process away from private networks: every connection is judged by the address it really goes to."""

import sys
from typing import Any

from orchestrator.services.url_safety import is_public


class Refused(Exception):
    """A connection into a private network was about to be made."""


REFUSED: list[str] = []
"""What was refused, for the sentence: libraries between here and there wrap exceptions."""


def only_public() -> None:
    """From now on this process connects to public addresses only; it cannot be undone.

    The interpreter asks this hook at each connect of any library, after names were looked up: a redirect, or a name
    that means something else the second time, is judged like the first address.
    """

    def judge(event: str, args: tuple[Any, ...]) -> None:
        if event != "socket.connect":
            return
        address = args[1]
        host = str(address[0]) if isinstance(address, tuple) and address else "a socket of this machine"
        if not is_public(host):
            REFUSED.append(host)
            raise Refused(host)

    sys.addaudithook(judge)
