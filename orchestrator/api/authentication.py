"""The user of a request: by session cookie (writes only from our own pages) or by bearer token (within its scopes)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Request

from orchestrator.api.person_slots import remember_person
from orchestrator.domain.errors import NotAllowed, NotSignedIn
from orchestrator.domain.users import Actor
from orchestrator.domain.web_addresses import split_address
from orchestrator.services.auth.sessions import COOKIE_NAME, actor_from_token
from orchestrator.services.auth.tokens import actor_from_bearer
from orchestrator.services.db import session_scope
from orchestrator.settings import get_settings
from orchestrator.stack.web_plugin import own_origins

_FOUND = "found_user"
_READS = frozenset({"GET", "HEAD", "OPTIONS"})


def client_ip(request: Request) -> str:
    """The IP address of the peer; or the one that a trusted proxy names (`orchestrator.edge.proxies`)."""
    return request.client.host if request.client else ""


def session_token(request: Request) -> str:
    """The token in the session cookie; "" without one."""
    return request.cookies.get(COOKIE_NAME, "")


def check_origin(request: Request) -> None:
    """Refuses a write that a page of another site may have sent with our cookie (CSRF).

    Raises:
        NotAllowed: the request comes from no origin of ours.
    """
    if request.headers.get("sec-fetch-site") == "same-origin":
        return
    origin = request.headers.get("origin", "").rstrip("/")
    settings = get_settings()
    if origin in own_origins(settings.port, settings.trusted_origins):
        return
    if (named := split_address(origin).netloc) and named == request.headers.get("host", ""):
        return
    raise NotAllowed("This request came from another site. Scripts send a token: `Authorization: Bearer lrl_...`.")


def check_origin_if_browser(request: Request) -> None:
    """The same check for routes without a login: scripts send no origin and pass, pages of other sites do not.

    Raises:
        NotAllowed: a browser sent this from a page of another site.
    """
    if "origin" in request.headers or "sec-fetch-site" in request.headers:
        check_origin(request)


def _user_with_scope(request: Request, sufficient: frozenset[str], refusal: str) -> Actor:
    """The user of a request; a token needs one of the `sufficient` scopes."""
    found = request.scope.get("state", {}).pop(_FOUND, None)
    if found is not None:
        return found
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    with session_scope() as session:
        if scheme.lower() == "bearer":
            known = actor_from_bearer(session, secret.strip())
            if known is None:
                raise NotSignedIn("This token is unknown or has expired. Make a new one under Settings.")
            actor, scopes = known
            if not sufficient & scopes:
                raise NotAllowed(f"This token may not {refusal}. Make one that may under Settings.")
            request.state.user_id = actor.user_id
            remember_person(request, actor.user_id)
            return actor
        actor = actor_from_token(session, session_token(request))
    if actor is None:
        raise NotSignedIn("Log in, or send a token: `Authorization: Bearer lrl_...`.")
    request.state.user_id = actor.user_id
    remember_person(request, actor.user_id)
    if request.method not in _READS:
        check_origin(request)
    return actor


def current_user(request: Request) -> Actor:
    """The user of a request.

    Raises:
        NotSignedIn: there is no valid session and no valid token. NotAllowed: foreign origin, or a missing scope.
    """
    scope = "read" if request.method in _READS else "write"
    return _user_with_scope(request, frozenset({scope}), scope)


CurrentUser = Annotated[Actor, Depends(current_user)]
"""The parameter that makes a route require a login: `def route(actor: CurrentUser)`."""


def inference_user(request: Request) -> Actor:
    """The user of a request to a model, which a token with the scope `infer` alone may send too.

    Raises:
        NotSignedIn, NotAllowed: as `current_user`.
    """
    scope, refusal = ("read", "read") if request.method in _READS else ("write", "ask models")
    return _user_with_scope(request, frozenset({scope, "infer"}), refusal)


InferenceUser = Annotated[Actor, Depends(inference_user)]
"""The same for routes that ask a model and change nothing else."""


def session_user(request: Request, actor: CurrentUser) -> Actor:
    """The user of a browser session, for actions that a leaked token must not reach, such as changes of the account.

    Raises:
        NotAllowed: the request carries a bearer token.
    """
    if request.headers.get("authorization"):
        raise NotAllowed("A token may not change the account or its tokens. Log in for this.")
    return actor


SessionUser = Annotated[Actor, Depends(session_user)]


def find_user_first(request: Request, dependency: Callable[..., Any]) -> None:
    """Does the work of a route's login dependency, which then finds the user without asking the database.

    Args:
        dependency: one of `LOGINS`.

    Raises:
        NotSignedIn, NotAllowed: as the dependency.
    """
    actor = dependency(request)
    setattr(request.state, _FOUND, actor)


LOGINS = (current_user, inference_user)
"""The dependencies that ask the database who a request is from."""


@dataclass(frozen=True, slots=True)
class Access:
    """Who may use an operation, for its documentation: a session always may, a token with one of the scopes."""

    read_scopes: tuple[str, ...]
    write_scopes: tuple[str, ...]


_ACCESS: dict[Callable[..., Any], Access] = {
    current_user: Access(("read",), ("write",)),
    inference_user: Access(("read", "infer"), ("write", "infer")),
    session_user: Access((), ()),
}


def access_of(dependency: Callable[..., Any] | None) -> Access | None:
    """What the dependency of a route requires; None for one that requires no login."""
    return _ACCESS.get(dependency) if dependency else None
