"""Who is asking: by cookie (writes from our own pages only) or by bearer token (within its scopes)."""

from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request

from orchestrator.domain.errors import NotAllowed, NotSignedIn
from orchestrator.domain.users import Actor
from orchestrator.services.auth.sessions import COOKIE_NAME, actor_from_token
from orchestrator.services.auth.tokens import actor_from_bearer
from orchestrator.services.db import session_scope
from orchestrator.settings import get_settings
from orchestrator.stack.web_plugin import own_origins

_READS = frozenset({"GET", "HEAD", "OPTIONS"})


def client_ip(request: Request) -> str:
    """The address of the peer; a proxy's headers are not believed."""
    return request.client.host if request.client else ""


def session_token(request: Request) -> str:
    return request.cookies.get(COOKIE_NAME, "")


def check_origin(request: Request) -> None:
    """Refuses a write that another site's page may have sent with our cookie.

    Raises:
        NotAllowed: the request names no origin of ours.
    """
    if request.headers.get("sec-fetch-site") == "same-origin":
        return
    origin = request.headers.get("origin", "").rstrip("/")
    settings = get_settings()
    if origin in own_origins(settings.port, settings.trusted_origins):
        return
    if origin and urlsplit(origin).netloc == request.headers.get("host", ""):
        return
    raise NotAllowed("This request came from another site. Scripts send a token: `Authorization: Bearer lrl_...`.")


def check_not_foreign(request: Request) -> None:
    """Before anybody is signed in: lets scripts through, which name no origin, but no other site's page.

    Raises:
        NotAllowed: a browser says that another site's page sent this.
    """
    if "origin" in request.headers or "sec-fetch-site" in request.headers:
        check_origin(request)


def signed_in(request: Request) -> Actor:
    """The actor of a request.

    Raises:
        NotSignedIn: neither a live session nor a live token. NotAllowed: foreign origin or missing scope.
    """
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    write = request.method not in _READS
    with session_scope() as session:
        if scheme.lower() == "bearer":
            found = actor_from_bearer(session, secret.strip())
            if found is None:
                raise NotSignedIn("This token is unknown or has run out. Make a new one under Settings.")
            actor, scopes = found
            if ("write" if write else "read") not in scopes:
                raise NotAllowed(
                    f"This token may not {'write' if write else 'read'}. Make one that may under Settings."
                )
            return actor
        actor = actor_from_token(session, session_token(request))
    if actor is None:
        raise NotSignedIn("Log in, or send a token: `Authorization: Bearer lrl_...`.")
    if write:
        check_origin(request)
    return actor


Who = Annotated[Actor, Depends(signed_in)]
"""What a route writes to deny by default: `def route(actor: Who)`."""


def at_the_keyboard(request: Request, actor: Who) -> Actor:
    """For what would let a leaked token outlive itself: a session is needed, a token is not enough.

    Raises:
        NotAllowed: a token asks.
    """
    if request.headers.get("authorization"):
        raise NotAllowed("A token may not change passwords or make tokens. Log in for this.")
    return actor


InPerson = Annotated[Actor, Depends(at_the_keyboard)]
