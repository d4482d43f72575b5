"""The accounts of the studio as its administrators manage them: list, disable, enable, and change of the role."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from sqlalchemy import delete, func, or_, select, update
from sqlmodel import Session, col

from orchestrator.domain.audit import Act
from orchestrator.domain.base import utcnow
from orchestrator.domain.errors import Conflict, Invalid, NotAllowed, NotFound
from orchestrator.domain.json_schemas import OneOf
from orchestrator.domain.users import Actor, LoginTicket, PasswordReset, Role, User, UserSession
from orchestrator.services.after_commit import after_commit
from orchestrator.services.audit.recording import Person, record
from orchestrator.services.auth.accounts import lock_accounts
from orchestrator.services.auth.sessions import sessions_closed
from orchestrator.services.paging import Page, contains, fetch_page

STATUSES = ("active", "disabled")
_SORTS = {"username": col(User.username_key), "created_at": col(User.created_at)}
_NO_ACCOUNT = "There is no such account. It may have been deleted."
Administrator = Actor | Person
"""Who manages accounts: an account that is an administrator's, or a `Person` at the command line of the server."""


@dataclass(frozen=True, slots=True)
class PersonRow:
    """An account as administrators see it."""

    id: int
    username: str
    email: str
    role: Annotated[str, OneOf(Role)]
    created_at: datetime
    disabled_at: datetime | None
    """Null while the account is active."""
    seen_at: datetime | None
    """When one of its signed-in browsers was last seen; null where none is signed in."""


def list_people(
    session: Session,
    actor: Administrator,
    q: str = "",
    role: str = "",
    status: str = "",
    sort: str = "username",
    limit: int = 50,
    cursor: str | None = None,
) -> Page[PersonRow]:
    """The accounts.

    Args:
        q: text in the username or the e-mail address.
        status: one of `STATUSES`, "" for both.

    Raises:
        NotAllowed: not an administrator. Invalid: field role or status.
    """
    require_administrator(actor)
    where = []
    if role:
        if role not in list(Role):
            raise Invalid(f"Choose from: {', '.join(Role)}.", "role")
        where.append(col(User.role) == Role(role))
    if status:
        if status not in STATUSES:
            raise Invalid(f"Choose from: {', '.join(STATUSES)}.", "status")
        disabled = col(User.disabled_at)
        where.append(disabled.is_not(None) if status == "disabled" else disabled.is_(None))
    if q.strip():
        where.append(or_(contains(User.username, q), contains(User.email, q)))
    page = fetch_page(session, User, where, _SORTS, sort, limit, cursor)
    return Page(_rows(session, page.items), page.next, page.total)


def get_person(session: Session, actor: Administrator, user_id: int) -> PersonRow:
    """One account.

    Raises:
        NotAllowed: not an administrator. NotFound.
    """
    require_administrator(actor)
    user = session.get(User, user_id)
    if user is None:
        raise NotFound(_NO_ACCOUNT)
    return _row_of(session, user)


def set_disabled(session: Session, actor: Administrator, user_id: int, disabled: bool) -> PersonRow:
    """Disables an account: its sessions and links end, its tokens do not work; or enables it again.

    What it owns stays, and its running jobs go on.

    Raises:
        NotAllowed: not an administrator. NotFound. Conflict: one's own account, or the last administrator.
    """
    user = _user(session, actor, user_id)
    if disabled and isinstance(actor, Actor) and actor.user_id == user_id:
        raise Conflict("You cannot disable your own account. Another administrator can.")
    if disabled == (user.disabled_at is not None):
        return _row_of(session, user)
    user.disabled_at = utcnow() if disabled else None
    session.add(user)
    session.flush()
    if disabled:
        _require_administrator_left(session)
        end_access(session, user_id)
    record(session, actor, Act.ACCOUNT_DISABLED if disabled else Act.ACCOUNT_ENABLED, user_id, user.username)
    return _row_of(session, user)


def set_role(session: Session, actor: Administrator, user_id: int, role: str) -> PersonRow:
    """Makes an account an administrator or a member.

    Raises:
        NotAllowed: not an administrator. NotFound. Invalid: field role. Conflict: the last administrator.
    """
    if role not in list(Role):
        raise Invalid(f"Choose from: {', '.join(Role)}.", "role")
    user = _user(session, actor, user_id)
    before = user.role.value
    if before == role:
        return _row_of(session, user)
    user.role = Role(role)
    session.add(user)
    session.flush()
    _require_administrator_left(session)
    after_commit(session, sessions_closed)  # what processes have cached of its sessions has the former role
    record(session, actor, Act.ACCOUNT_ROLE_CHANGED, user_id, user.username, {"role": before}, {"role": role})
    return _row_of(session, user)


def find_person(session: Session, login: str) -> int:
    """The id of the account with this username or e-mail address.

    Raises:
        NotFound: there is none.
    """
    key = login.strip().casefold()
    column = User.email_key if "@" in key else User.username_key
    user_id = session.scalar(select(col(User.id)).where(col(column) == key))
    if user_id is None:
        raise NotFound(f"There is no account {login.strip()}.")
    return user_id


def end_access(session: Session, user_id: int) -> int:
    """Ends all sessions of an account, and the tickets and links that would open one.

    Returns:
        How many sessions there were.
    """
    after_commit(session, sessions_closed)
    for table in (LoginTicket, PasswordReset):
        session.exec(delete(table).where(col(table.user_id) == user_id))
    return session.exec(delete(UserSession).where(col(UserSession.user_id) == user_id)).rowcount


def require_administrator(actor: Administrator) -> None:
    """Only administrators manage accounts.

    Raises:
        NotAllowed: the actor is none.
    """
    if isinstance(actor, Actor) and not actor.is_admin:
        raise NotAllowed("Only an administrator manages accounts.")


def _user(session: Session, actor: Administrator, user_id: int) -> User:
    require_administrator(actor)
    lock_accounts(session)
    # The first write takes SQLite's lock: two administrators who demote each other at once do it one after the other.
    session.exec(update(User).where(col(User.id) == user_id).values(username=User.username))
    user = session.get(User, user_id, populate_existing=True)
    if user is None:
        raise NotFound(_NO_ACCOUNT)
    return user


def _require_administrator_left(session: Session) -> None:
    left = select(func.count()).where(col(User.role) == Role.ADMIN, col(User.disabled_at).is_(None))
    if not session.scalar(left):
        raise Conflict("This is the last administrator. Make another account an administrator first.")


def _row_of(session: Session, user: User) -> PersonRow:
    return _rows(session, [user])[0]


def _rows(session: Session, users: list[User]) -> list[PersonRow]:
    ids = [user.id for user in users]
    seen = select(col(UserSession.user_id), func.max(col(UserSession.last_seen_at))).where(
        col(UserSession.user_id).in_(ids), col(UserSession.expires_at) > utcnow()
    )
    rows = session.connection().execute(seen.group_by(col(UserSession.user_id)))
    seen_at: dict[int | None, datetime] = {row[0]: row[1] for row in rows}
    return [
        PersonRow(
            user.id or 0,
            user.username,
            user.email,
            user.role.value,
            user.created_at,
            user.disabled_at,
            seen_at.get(user.id),
        )
        for user in users
    ]
