"""Accounts by REST: sign up, log in and out, one's own profile, password, tokens; and the cookie behind pages."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, Field

from orchestrator.api.shapes import Id, shape
from orchestrator.api.who import InPerson, Who, check_not_foreign, check_origin, client_ip, session_token
from orchestrator.domain.errors import NotSignedIn
from orchestrator.services.auth import accounts, sessions, tickets, tokens
from orchestrator.services.db import session_scope
from orchestrator.settings import get_settings

router = APIRouter(tags=["accounts"])
cookies = APIRouter(include_in_schema=False)


class SignUp(BaseModel):
    username: str
    email: str
    password: str


class LogIn(BaseModel):
    login: str
    password: str
    remember: bool = True


class Profile(BaseModel):
    username: str | None = None
    email: str | None = None


class Password(BaseModel):
    current: str
    new: str


class NewTokenBody(BaseModel):
    name: str
    scopes: list[str] = Field(default=["read", "write"])
    expires_days: int | None = None


def set_cookie(response: Response, request: Request, token: str, remember: bool) -> None:
    """The session cookie: unreadable for scripts, not sent by other sites' posts; ends with the browser if asked."""
    settings = get_settings()
    age = settings.session_days * 86_400 if remember else None
    secure = settings.secure_cookies or request.url.scheme == "https"
    response.set_cookie(sessions.COOKIE_NAME, token, age, httponly=True, samesite="lax", secure=secure, path="/")


def local_path(path: str) -> str:
    """`path` when it stays on this site, else the overview."""
    good = path.startswith("/") and not path.startswith(("//", "/\\")) and "\\" not in path and path.isprintable()
    return path if good else "/overview"


@router.post("/auth/signup", status_code=201, dependencies=[Depends(check_not_foreign)])
def sign_up(body: SignUp) -> dict[str, Any]:
    with session_scope() as session:
        actor = accounts.sign_up(session, body.username, body.email, body.password, get_settings())
        return shape(accounts.get_account(session, actor))


@router.post("/auth/login", dependencies=[Depends(check_not_foreign)])
def log_in(body: LogIn, request: Request, response: Response) -> dict[str, Any]:
    agent, ip = request.headers.get("user-agent", ""), client_ip(request)
    with session_scope() as session:
        actor = sessions.log_in(session, body.login, body.password, ip)
        token = sessions.open_session(session, actor.user_id, body.remember, agent, ip)
        row = accounts.get_account(session, actor)
    set_cookie(response, request, token, body.remember)
    return shape(row)


@router.post("/auth/logout", status_code=204, dependencies=[Depends(check_not_foreign)])
def log_out(request: Request, response: Response) -> None:
    with session_scope() as session:
        sessions.close_session(session, session_token(request))
    response.delete_cookie(sessions.COOKIE_NAME, path="/")


@router.get("/me")
def me(actor: Who) -> dict[str, Any]:
    with session_scope() as session:
        return shape(accounts.get_account(session, actor))


@router.patch("/me")
def change_me(actor: Who, body: Profile) -> dict[str, Any]:
    with session_scope() as session:
        username, email = body.username or actor.username, body.email or actor.email
        return shape(accounts.get_account(session, accounts.update_profile(session, actor, username, email)))


@router.post("/me/password", status_code=204)
def change_password(actor: InPerson, body: Password, request: Request) -> None:
    with session_scope() as session:
        accounts.change_password(session, actor, body.current, body.new)
        sessions.close_others(session, actor, session_token(request))


@router.get("/tokens")
def list_tokens(actor: Who) -> dict[str, Any]:
    with session_scope() as session:
        rows = [shape(row) for row in tokens.list_tokens(session, actor)]
    return {"items": rows, "next": None, "total": len(rows)}


@router.post("/tokens", status_code=201)
def create_token(actor: InPerson, body: NewTokenBody) -> dict[str, Any]:
    with session_scope() as session:
        made = tokens.create_token(session, actor, body.name, body.scopes, body.expires_days)
    return shape(made.row, token=made.token)


@router.delete("/tokens/{token_id}", status_code=204)
def delete_token(actor: Who, token_id: Id) -> None:
    with session_scope() as session:
        tokens.delete_token(session, actor, token_id)


@cookies.get("/api/session")
def redeem(request: Request, ticket: str, next: Annotated[str, "a local path"] = "/overview") -> Response:
    """A verified login's one-time ticket becomes the cookie; a used or old one leads back to the login page."""
    if request.headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
        # Another site's link with its author's own ticket would sign somebody in as the author.
        return RedirectResponse("/login", 303)
    agent, ip = request.headers.get("user-agent", ""), client_ip(request)
    try:
        with session_scope() as session:
            user_id, remember = tickets.redeem_ticket(session, ticket)
            token = sessions.open_session(session, user_id, remember, agent, ip)
    except NotSignedIn:
        return RedirectResponse("/login", 303)
    response = RedirectResponse(local_path(next), 303)
    set_cookie(response, request, token, remember)
    return response


@cookies.post("/api/session/end", dependencies=[Depends(check_origin)])
def end(request: Request) -> Response:
    """The log-out form of the pages: ends the session and leads to the login page."""
    with session_scope() as session:
        sessions.close_session(session, session_token(request))
    response = RedirectResponse("/login", 303)
    response.delete_cookie(sessions.COOKIE_NAME, path="/")
    return response
