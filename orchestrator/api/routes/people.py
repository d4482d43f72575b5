"""The accounts of the studio by REST, for administrators; and the link with which a new password is set."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Request
from pydantic import BaseModel

from orchestrator.api.authentication import CurrentUser, SessionUser, check_origin_if_browser, client_ip, session_token
from orchestrator.api.documented_route import documented_router
from orchestrator.api.rules import Cursor, Flag, Limit, NewPassword, one_of, rule
from orchestrator.api.serialization import Id
from orchestrator.domain.users import Role
from orchestrator.services.auth import people, resets, sessions
from orchestrator.services.auth.people import PersonRow
from orchestrator.services.db import session_scope
from orchestrator.services.paging import Page

router = documented_router(tags=["people"])


class PersonChange(BaseModel):
    """What to change. A new role needs the administrator's password, given here or in the last ten minutes."""

    disabled: Flag | None = None
    role: Annotated[str, one_of(Role)] | None = None
    current_password: str = ""


class Confirmed(BaseModel):
    """The administrator's password; empty where it was given in the last ten minutes."""

    current_password: str = ""


class Reset(BaseModel):
    """`link`: the secret at the end of the link."""

    link: Annotated[str, rule(minLength=1)]
    password: NewPassword


@dataclass(frozen=True, slots=True)
class ResetLink:
    """A link with which the account gets a new password, once."""

    link: str
    """Shown this once only."""
    ends_at: datetime


@router.get("/people")
def list_people(
    actor: CurrentUser,
    q: str = "",
    role: Annotated[str, one_of(Role, "")] = "",
    status: Annotated[str, one_of(people.STATUSES, "")] = "",
    sort: str = "username",
    limit: Limit = 50,
    cursor: Cursor | None = None,
) -> Page[PersonRow]:
    """All accounts; only for administrators."""
    with session_scope() as session:
        return people.list_people(session, actor, q, role, status, sort, limit, cursor)


@router.patch("/people/{user_id}")
def change_person(actor: SessionUser, user_id: Id, body: PersonChange, request: Request) -> PersonRow:
    """Disables or enables an account, or changes its role; only for administrators."""
    with session_scope() as session:
        people.require_administrator(actor)
        row = people.get_person(session, actor, user_id)
        if body.role is not None and body.role != row.role:
            sessions.require_recent_password(session, actor, session_token(request), body.current_password)
            row = people.set_role(session, actor, user_id, body.role)
        if body.disabled is not None:
            row = people.set_disabled(session, actor, user_id, body.disabled)
        return row


@router.post("/people/{user_id}/reset", status_code=201)
def make_reset_link(actor: SessionUser, user_id: Id, request: Request, body: Confirmed | None = None) -> ResetLink:
    """A one-time link for a new password, which ends after a day; only for administrators."""
    with session_scope() as session:
        people.require_administrator(actor)
        password = body.current_password if body else ""
        sessions.require_recent_password(session, actor, session_token(request), password)
        made = resets.make_reset_link(session, actor, user_id)
    return ResetLink(made.link, made.ends_at)


@router.post("/auth/reset", status_code=204, dependencies=[Depends(check_origin_if_browser)])
def reset_password(body: Reset, request: Request) -> None:
    """Sets a new password with the secret of a link. All sessions of the account end."""
    with session_scope() as session:
        resets.reset_password(session, body.link, body.password, client_ip(request))


@router.post("/me/sign-out-everywhere", status_code=204)
def sign_out_everywhere(actor: SessionUser) -> None:
    """Ends all sessions of the account, this one too. Tokens stay."""
    with session_scope() as session:
        sessions.sign_out_everywhere(session, actor)
