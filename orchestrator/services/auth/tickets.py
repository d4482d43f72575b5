"""One-time tickets: the websocket verifies a login but cannot set a cookie, so that a ticket is exchanged for one."""

from datetime import timedelta

from sqlalchemy import delete
from sqlmodel import Session, col

from orchestrator.domain.base import utcnow
from orchestrator.domain.errors import NotSignedIn
from orchestrator.domain.users import LoginTicket, User
from orchestrator.services.auth.secrets import digest, new_secret

LIFETIME = timedelta(seconds=30)


def issue_ticket(session: Session, user_id: int, remember: bool) -> str:
    """A ticket that can be used once, within `LIFETIME`."""
    session.exec(delete(LoginTicket).where(col(LoginTicket.expires_at) < utcnow()))
    ticket = new_secret()
    row = LoginTicket(token_hash=digest(ticket), user_id=user_id, remember=remember, expires_at=utcnow() + LIFETIME)
    session.add(row)
    session.flush()
    return ticket


def redeem_ticket(session: Session, ticket: str) -> tuple[int, bool]:
    """Uses up the ticket.

    Returns:
        (the user's id, whether the session outlives the browser).

    Raises:
        NotSignedIn: it was used already, has expired, or was never issued.
    """
    query = (
        delete(LoginTicket)
        .where(col(LoginTicket.token_hash) == digest(ticket))
        .returning(col(LoginTicket.user_id), col(LoginTicket.remember), col(LoginTicket.expires_at))
    )
    row = session.exec(query).first()
    if row is None or row[2] < utcnow() or session.get_one(User, row[0]).disabled_at is not None:
        raise NotSignedIn("This login link was used already or is too old. Log in again.")
    return row[0], row[1]
