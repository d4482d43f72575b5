"""Browser sessions: log in, open a session behind a cookie's token, list and end sessions."""

from datetime import timedelta

import structlog
from sqlalchemy import delete, select
from sqlmodel import Session, col

from orchestrator.domain.audit import Act
from orchestrator.domain.base import utcnow
from orchestrator.domain.errors import NotSignedIn, PasswordNeeded
from orchestrator.domain.users import Actor, User, UserSession
from orchestrator.services.after_commit import after_commit
from orchestrator.services.audit.recording import Person, record, record_refusal
from orchestrator.services.auth.accounts import actor_of, confirm_password
from orchestrator.services.auth.device_cookies import read_device_cookie
from orchestrator.services.auth.last_use import note_use
from orchestrator.services.auth.limits import Attempt, attempt_failed, attempt_succeeded, begin_attempt
from orchestrator.services.auth.passwords import (
    MAX_LENGTH,
    decoy_hash,
    hash_password,
    is_outdated,
    verify_password,
)
from orchestrator.services.auth.rows import SessionRow
from orchestrator.services.auth.secrets import digest, new_secret
from orchestrator.settings import get_settings

log = structlog.get_logger(__name__)
COOKIE_NAME = "loreel_session"
SHORT_SESSION = timedelta(hours=12)
"""Without "remember me" a session ends when the browser closes, and after this time at the latest."""
RECENT_PASSWORD = timedelta(minutes=10)
"""How long after the password was given a session may make and delete API tokens without giving it again."""
LAST_SEEN_INTERVAL = timedelta(minutes=1)
MAX_LOGIN = 254
_WRONG_LOGIN = "That password does not match this account, or there is no such account. Check both and try again."


def log_in(session: Session, login: str, password: str, ip: str, device_cookie: str = "") -> Actor:
    """The account behind a username or email and its password.

    Args:
        ip: the client's address.
        device_cookie: what its browser sent as the cookie of `device_cookies`, or "".

    Raises:
        NotSignedIn: the password is wrong, or there is no such account; both read the same. Or the account is disabled,
            which is said to those only who know its password. TooMany: too many failures.
    """
    key = login.strip()[:MAX_LOGIN].casefold()
    decoy = decoy_hash()  # before the account is searched for, so that an unknown one takes the same time
    column = User.email_key if "@" in key else User.username_key
    user = session.scalar(select(User).where(col(column) == key))
    attempt = _attempt(session, user, key, ip, device_cookie)
    begin_attempt(attempt)
    matches = verify_password(user.password_hash if user else decoy, password[: MAX_LENGTH + 1])
    if user is None or not matches:
        attempt_failed(attempt)
        _record_failure(session, user, login)
        log.info("login.failed", account=user.id if user else None, client=ip)
        raise NotSignedIn(_WRONG_LOGIN)
    attempt_succeeded(attempt)
    if user.disabled_at is not None:
        record_refusal(session, actor_of(user), Act.SESSION_OPENED, "the account is disabled", user.id, user.username)
        raise NotSignedIn("This account is disabled. Ask an administrator of this studio to enable it.")
    if is_outdated(user.password_hash):
        user.password_hash = hash_password(password)
    session.exec(delete(UserSession).where(col(UserSession.expires_at) < utcnow()))
    session.flush()
    log.info("login.succeeded", account=user.id, client=ip)
    return actor_of(user)


def _record_failure(session: Session, user: User | None, login: str) -> None:
    """In the audit log; without what was typed where there is no such account: it may be a password."""
    reason = "wrong password" if user else "no such account"
    person = actor_of(user) if user else Person(None, "")
    record_refusal(session, person, Act.SESSION_OPENED, reason, person.user_id, person.username)


def _attempt(session: Session, user: User | None, key: str, ip: str, device_cookie: str) -> Attempt:
    """How the limits count this login."""
    signed_in_here = select(col(UserSession.id)).where(
        col(UserSession.user_id) == (user.id if user else 0),
        col(UserSession.ip) == ip[:64],
        col(UserSession.expires_at) > utcnow(),
    )
    familiar = bool(ip) and session.scalar(signed_in_here.limit(1)) is not None
    device = read_device_cookie(device_cookie)
    if user is None:
        return Attempt(f"name-{digest(key)}", ip)
    return Attempt(str(user.id), ip, device.id if device and device.user_id == user.id else "", familiar)


def session_lifetime(remember: bool) -> timedelta:
    """How long the server accepts a session."""
    return timedelta(days=get_settings().session_days) if remember else SHORT_SESSION


def open_session(session: Session, user_id: int, remember: bool, user_agent: str = "", ip: str = "") -> str:
    """Opens a session.

    Returns:
        Its token, for the cookie; the database has only its hash.
    """
    token = new_secret()
    expires_at = utcnow() + session_lifetime(remember)
    row = UserSession(
        user_id=user_id, token_hash=digest(token), expires_at=expires_at, user_agent=user_agent[:300], ip=ip[:64]
    )
    session.add(row)
    session.flush()
    user = session.get_one(User, user_id)
    record(
        session,
        actor_of(user),
        Act.SESSION_OPENED,
        row.id,
        user.username,
        after={"browser": user_agent, "remember": remember},
    )
    return token


def actor_from_token(session: Session, token: str) -> Actor | None:
    """The user whose session this token opens; None when it is unknown or has expired."""
    if not token:
        return None
    now = utcnow()
    valid = (col(UserSession.token_hash) == digest(token), col(UserSession.expires_at) > now)
    row = session.scalar(select(UserSession).where(*valid))
    user = session.get(User, row.user_id) if row else None
    if row is None or user is None or user.disabled_at is not None:
        return None
    if row.last_seen_at < now - LAST_SEEN_INTERVAL:
        note_use(UserSession, row.id or 0)
    return actor_of(user)


def confirm_session(session: Session, actor: Actor, token: str, password: str) -> None:
    """Takes the password again: for `RECENT_PASSWORD` this session may make and delete API tokens.

    Raises:
        Invalid: it is wrong. TooMany: it was wrong too often.
    """
    confirm_password(session, actor, password)
    row = _own_session(session, actor, token)
    if row is not None:
        row.confirmed_at = utcnow()
        session.flush()
    record(session, actor, Act.PASSWORD_CONFIRMED, actor.user_id, actor.username)


def require_recent_password(session: Session, actor: Actor, token: str, password: str = "") -> None:
    """Lets a change pass whose user gave the password lately in this session, or gives it now.

    Args:
        token: the session's.
        password: the current password; "" when it was not given with this change.

    Raises:
        PasswordNeeded: it was given too long ago. Invalid, TooMany: as `confirm_session`.
    """
    if password:
        confirm_session(session, actor, token, password)
        return
    row = _own_session(session, actor, token)
    if row is None or (row.confirmed_at or row.created_at) < utcnow() - RECENT_PASSWORD:
        raise PasswordNeeded("Enter your current password to confirm this.", "current_password")


def _own_session(session: Session, actor: Actor, token: str) -> UserSession | None:
    own = (col(UserSession.token_hash) == digest(token), col(UserSession.user_id) == actor.user_id)
    return session.scalar(select(UserSession).where(*own))


_generation = 0


def sessions_generation() -> int:
    """Rises when sessions were closed in this process: a cached session is then read from the database again."""
    return _generation


def sessions_closed() -> None:
    """Has this process read its sessions from the database again."""
    global _generation
    _generation += 1


def close_session(session: Session, token: str) -> None:
    """Ends the session of this token; does nothing when it has ended already."""
    after_commit(session, sessions_closed)
    row = session.scalar(select(UserSession).where(col(UserSession.token_hash) == digest(token)))
    if row is None:
        return
    user = session.get_one(User, row.user_id)
    session.exec(delete(UserSession).where(col(UserSession.id) == row.id))
    record(session, actor_of(user), Act.SESSION_CLOSED, row.id, user.username)


def sign_out_everywhere(session: Session, actor: Actor) -> int:
    """Signs every browser of the actor out, this one too; tokens stay.

    Returns:
        How many there were.
    """
    after_commit(session, sessions_closed)
    closed = session.exec(delete(UserSession).where(col(UserSession.user_id) == actor.user_id)).rowcount
    record(session, actor, Act.SIGNED_OUT_EVERYWHERE, actor.user_id, actor.username, after={"browsers": closed})
    return closed


def list_sessions(session: Session, actor: Actor, current_token: str = "") -> list[SessionRow]:
    """The actor's signed-in browsers, the most recently seen first."""
    query = (
        select(UserSession)
        .where(col(UserSession.user_id) == actor.user_id, col(UserSession.expires_at) > utcnow())
        .order_by(col(UserSession.last_seen_at).desc(), col(UserSession.id).desc())
    )
    current = digest(current_token) if current_token else ""
    return [
        SessionRow(
            row.id or 0,
            row.user_agent,
            row.ip,
            row.created_at,
            row.last_seen_at,
            row.expires_at,
            row.token_hash == current,
        )
        for row in session.scalars(query)
    ]


def close_others(session: Session, actor: Actor, current_token: str) -> int:
    """Signs every other browser of the actor out.

    Returns:
        How many there were.
    """
    after_commit(session, sessions_closed)
    others = col(UserSession.token_hash) != digest(current_token)
    query = delete(UserSession).where(col(UserSession.user_id) == actor.user_id, others)
    closed = session.exec(query).rowcount
    record(session, actor, Act.OTHER_SESSIONS_CLOSED, actor.user_id, actor.username, after={"browsers": closed})
    return closed
