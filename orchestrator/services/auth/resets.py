"""One-time links that set a new password: made by an administrator or at the command line, for one account."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from limits import RateLimitItemPerMinute
from sqlalchemy import delete
from sqlmodel import Session, col

from orchestrator.domain.audit import Act
from orchestrator.domain.base import utcnow
from orchestrator.domain.errors import Conflict, Invalid
from orchestrator.domain.users import PasswordReset, User
from orchestrator.services import rate_limits
from orchestrator.services.audit.recording import Person, record, record_refusal
from orchestrator.services.auth.accounts import actor_of
from orchestrator.services.auth.passwords import hash_password, password_problem
from orchestrator.services.auth.people import Administrator, end_access, get_person
from orchestrator.services.auth.secrets import digest, new_secret
from orchestrator.services.rate_limits import client_network
from orchestrator.settings import get_settings

log = structlog.get_logger(__name__)
LIFETIME = timedelta(hours=24)
PAGE = "/reset"
_TRIES = (RateLimitItemPerMinute(20, namespace="reset-address"),)
_TOO_MANY = "Too many links were tried from here. Try again in {wait}."
_ENDED = "This link was used already, or has ended. Ask an administrator for a new one."


@dataclass(frozen=True, slots=True)
class NewReset:
    """A link that was just made; it is shown this once only."""

    link: str
    ends_at: datetime


def make_reset_link(session: Session, actor: Administrator, user_id: int) -> NewReset:
    """Makes a link with which a new password can be set once within a day; an earlier one of the account ends.

    Raises:
        NotAllowed: not an administrator. NotFound. Conflict: the account is disabled.
    """
    person = get_person(session, actor, user_id)
    if person.disabled_at is not None:
        raise Conflict(f"{person.username} is disabled. Enable the account first.")
    session.exec(delete(PasswordReset).where(col(PasswordReset.user_id) == user_id))
    secret, ends_at = new_secret(), utcnow() + LIFETIME
    session.add(PasswordReset(token_hash=digest(secret), user_id=user_id, expires_at=ends_at))
    session.flush()
    record(session, actor, Act.RESET_LINK_CREATED, user_id, person.username, after={"ends": ends_at.isoformat()})
    return NewReset(f"{get_settings().resolved_public_url}{PAGE}?link={secret}", ends_at)


def reset_password(session: Session, secret: str, password: str, ip: str = "") -> None:
    """Sets a new password with the secret of a link; all sessions of the account end, its tokens stay.

    Raises:
        Invalid: field `password`, and the link can be used again. Conflict: the link has ended. TooMany.
    """
    rate_limits.take(_TRIES, client_network(ip), sentence=_TOO_MANY)
    row = session.get(PasswordReset, digest(secret))
    user = session.get(User, row.user_id) if row else None
    if row is None or user is None or row.expires_at < utcnow() or user.disabled_at is not None:
        person = actor_of(user) if user else Person(None, "")
        record_refusal(session, person, Act.PASSWORD_RESET, "the link was used already, or has ended")
        raise Conflict(_ENDED)
    if problem := password_problem(password, [user.username, user.email]):
        raise Invalid(problem, "password")
    used = session.exec(delete(PasswordReset).where(col(PasswordReset.token_hash) == row.token_hash)).rowcount
    if used != 1:  # another request with the same link was faster
        record_refusal(session, actor_of(user), Act.PASSWORD_RESET, "the link was used already")
        raise Conflict(_ENDED)
    user.password_hash = hash_password(password)
    session.add(user)
    session.flush()
    ended = end_access(session, user.id or 0)
    record(session, actor_of(user), Act.PASSWORD_RESET, user.id, user.username, after={"sessions_ended": ended})
    log.info("password.reset", account=user.id)
