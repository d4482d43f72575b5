"""Where an act comes from: the client's address and the API token of the request that is being answered."""

from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(slots=True)
class Origin:
    """Of one request, websocket event or command.

    Attributes:
        address: the client's address; "" for acts of this machine.
        token: the name of the API token; "" for a session.
    """

    address: str = ""
    token: str = ""


_origin: ContextVar[Origin | None] = ContextVar("audit_origin", default=None)


def current_origin() -> Origin:
    """The origin of what runs now."""
    return _origin.get() or Origin()


def begin_origin(address: str) -> Origin:
    """Says where the acts of the present task come from; threads that it starts inherit it.

    Returns:
        The object that is read later; `name_token` completes it, from another thread too.
    """
    origin = Origin(address)
    _origin.set(origin)
    return origin


def name_token(name: str) -> None:
    """Says which API token the present request brought."""
    origin = _origin.get()
    if origin is not None:
        origin.token = name
