"""Accounts by REST: sign up, log in and out, own profile, password and tokens; and the session cookie of the pages."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, Field

from orchestrator.api.authentication import (
    CurrentUser,
    SessionUser,
    check_origin,
    check_origin_if_browser,
    client_ip,
    session_token,
)
from orchestrator.api.checked_route import checked_router
from orchestrator.api.documented_route import documented_router
from orchestrator.api.person_slots import remember_person
from orchestrator.api.rules import Email, Flag, NewPassword, Scopes, TokenDays, TokenName, Username, rule
from orchestrator.api.schema.refusals import refusals
from orchestrator.api.serialization import Id, complete_page, extended
from orchestrator.domain.errors import NotSignedIn
from orchestrator.domain.local_path import local_path
from orchestrator.services.auth import accounts, device_cookies, sessions, tickets, tokens
from orchestrator.services.auth.rows import AccountRow, TokenRow
from orchestrator.services.db import session_scope
from orchestrator.services.paging import Page
from orchestrator.settings import get_settings

router = documented_router(tags=["accounts"])
cookies = checked_router(include_in_schema=False)


class SignUp(BaseModel):
    username: Username
    email: Email
    password: NewPassword


class LogIn(BaseModel):
    login: str
    password: str
    remember: Flag = True


class Profile(BaseModel):
    username: Username | None = None
    email: Email | None = None
    current_password: str = ""


class Confirmation(BaseModel):
    password: str


class Password(BaseModel):
    current: Annotated[str, rule(minLength=1)]
    new: NewPassword


class NewTokenBody(BaseModel):
    name: TokenName
    scopes: Scopes = Field(default=["read", "write"])
    expires_days: TokenDays | None = None
    current_password: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatedToken(TokenRow):
    """A new token with its secret, which is shown this once only."""

    token: str


def set_cookies(response: Response, request: Request, user_id: int, token: str, remember: bool) -> None:
    """Sets the cookies of a session and of this device: not readable by scripts, not sent with POSTs of other sites.

    Args:
        remember: False for a session cookie that ends with the browser.
    """
    settings = get_settings()
    age = settings.session_days * 86_400 if remember else None
    secure = settings.secure_cookies or request.url.scheme == "https"
    device = device_cookies.new_device_cookie(user_id)
    remember_person(request, user_id, token)
    for name, value, seconds in (
        (sessions.COOKIE_NAME, token, age),
        (device_cookies.COOKIE_NAME, device, device_cookies.DAYS * 86_400),
    ):
        response.set_cookie(name, value, seconds, httponly=True, samesite="lax", secure=secure, path="/")


@router.post("/auth/signup", status_code=201, dependencies=[Depends(check_origin_if_browser)])
def sign_up(body: SignUp, request: Request) -> AccountRow:
    ip = client_ip(request)
    with session_scope() as session:
        actor = accounts.sign_up(session, body.username, body.email, body.password, get_settings(), ip)
        return accounts.get_account(session, actor)


@router.post("/auth/login", responses=refusals(401), dependencies=[Depends(check_origin_if_browser)])
def log_in(body: LogIn, request: Request, response: Response) -> AccountRow:
    agent, ip = request.headers.get("user-agent", ""), client_ip(request)
    device = request.cookies.get(device_cookies.COOKIE_NAME, "")
    with session_scope() as session:
        actor = sessions.log_in(session, body.login, body.password, ip, device)
        token = sessions.open_session(session, actor.user_id, body.remember, agent, ip)
        row = accounts.get_account(session, actor)
    set_cookies(response, request, actor.user_id, token, body.remember)
    return row


@router.post("/auth/logout", status_code=204, dependencies=[Depends(check_origin_if_browser)])
def log_out(request: Request, response: Response) -> None:
    with session_scope() as session:
        sessions.close_session(session, session_token(request))
    response.delete_cookie(sessions.COOKIE_NAME, path="/")


@router.get("/me")
def me(actor: CurrentUser) -> AccountRow:
    with session_scope() as session:
        return accounts.get_account(session, actor)


@router.patch("/me")
def change_me(actor: SessionUser, body: Profile) -> AccountRow:
    with session_scope() as session:
        username, email = body.username or actor.username, body.email or actor.email
        changed = accounts.update_profile(session, actor, username, email, body.current_password)
        return accounts.get_account(session, changed)


@router.post("/me/password", status_code=204)
def change_password(actor: SessionUser, body: Password, request: Request) -> None:
    with session_scope() as session:
        accounts.change_password(session, actor, body.current, body.new)
        sessions.close_others(session, actor, session_token(request))


@router.post("/me/confirm", status_code=204)
def confirm(actor: SessionUser, body: Confirmation, request: Request) -> None:
    """Takes the password again: for ten minutes this session may make and delete tokens."""
    with session_scope() as session:
        sessions.confirm_session(session, actor, session_token(request), body.password)


@router.get("/tokens")
def list_tokens(actor: SessionUser) -> Page[TokenRow]:
    with session_scope() as session:
        return complete_page(tokens.list_tokens(session, actor))


@router.post("/tokens", status_code=201)
def create_token(actor: SessionUser, body: NewTokenBody, request: Request) -> CreatedToken:
    with session_scope() as session:
        sessions.require_recent_password(session, actor, session_token(request), body.current_password)
        created = tokens.create_token(session, actor, body.name, body.scopes, body.expires_days)
    return extended(CreatedToken, created.row, token=created.token)


@router.delete("/tokens/{token_id}", status_code=204)
def delete_token(actor: SessionUser, token_id: Id, request: Request) -> None:
    with session_scope() as session:
        sessions.require_recent_password(session, actor, session_token(request))
        tokens.delete_token(session, actor, token_id)


@cookies.get("/api/session")
def redeem(request: Request, ticket: str, next: Annotated[str, "a local path"] = "/overview") -> Response:
    """Exchanges the one-time ticket of a verified login for the cookie; an invalid one leads back to the login page."""
    if request.headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
        # A link on another site with a ticket of its author would sign the visitor in as the author.
        return RedirectResponse("/login", 303)
    agent, ip = request.headers.get("user-agent", ""), client_ip(request)
    try:
        with session_scope() as session:
            user_id, remember = tickets.redeem_ticket(session, ticket)
            token = sessions.open_session(session, user_id, remember, agent, ip)
    except NotSignedIn:
        return RedirectResponse("/login", 303)
    response = RedirectResponse(local_path(next), 303)
    set_cookies(response, request, user_id, token, remember)
    return response


@cookies.post("/api/session/end", dependencies=[Depends(check_origin)])
def end(request: Request) -> Response:
    """Ends the session and leads to the login page; the target of the pages' log-out form."""
    with session_scope() as session:
        sessions.close_session(session, session_token(request))
    response = RedirectResponse("/login", 303)
    response.delete_cookie(sessions.COOKIE_NAME, path="/")
    return response
