"""API tokens for scripts: the secret is shown once and stored as a hash; each token has scopes."""

from collections.abc import Sequence
from datetime import timedelta

import structlog
from sqlalchemy import delete, or_, select
from sqlmodel import Session, col

from orchestrator.domain.audit import Act
from orchestrator.domain.base import utcnow
from orchestrator.domain.errors import Invalid, NotFound
from orchestrator.domain.users import SCOPES, Actor, ApiToken, User
from orchestrator.services.audit.origin import name_token
from orchestrator.services.audit.recording import record
from orchestrator.services.auth.accounts import actor_of
from orchestrator.services.auth.last_use import note_use
from orchestrator.services.auth.rows import NewToken, TokenRow
from orchestrator.services.auth.secrets import digest, new_secret

log = structlog.get_logger(__name__)
PREFIX = "lrl_"
DEFAULT_SCOPES = ("read", "write")
MAX_TOKENS = 50
MAX_NAME, MAX_DAYS = 80, 3650
LAST_USED_INTERVAL = timedelta(minutes=1)


def _row(token: ApiToken) -> TokenRow:
    scopes = tuple(scope for scope in token.scopes.split(",") if scope)
    return TokenRow(token.id or 0, token.name, scopes, token.created_at, token.last_used_at, token.expires_at)


def _check(name: str, scopes: Sequence[str], expires_days: int | None) -> None:
    problems: list[tuple[str, str]] = []
    if not 1 <= len(name) <= MAX_NAME:
        problems.append(
            ("name", f"Give the token a name of 1 to {MAX_NAME} characters, so that you recognize it later.")
        )
    if not scopes or any(scope not in SCOPES for scope in scopes):
        problems.append(("scopes", "Choose one or more of read, write and infer."))
    if expires_days is not None and not 1 <= expires_days <= MAX_DAYS:
        problems.append(("expires_days", f"Expiry must be a whole number of days from 1 to {MAX_DAYS}, or empty."))
    if problems:
        raise Invalid(problems[0][1], problems[0][0], problems)


def create_token(
    session: Session,
    actor: Actor,
    name: str,
    scopes: Sequence[str] = DEFAULT_SCOPES,
    expires_days: int | None = None,
) -> NewToken:
    """Creates a token; its secret is returned here and stored nowhere.

    Raises:
        Invalid: field name, scopes or expires_days; or there are too many tokens.
    """
    name = name.strip()
    _check(name, scopes, expires_days)
    if len(list_tokens(session, actor)) >= MAX_TOKENS:
        raise Invalid(f"You have {MAX_TOKENS} tokens; delete one you no longer use first.", "name")
    secret = new_secret(PREFIX)
    row = ApiToken(
        user_id=actor.user_id,
        name=name,
        token_hash=digest(secret),
        scopes=",".join(scope for scope in SCOPES if scope in scopes),
        expires_at=utcnow() + timedelta(days=expires_days) if expires_days else None,
    )
    session.add(row)
    session.flush()
    after = {"scopes": row.scopes, "ends": row.expires_at.isoformat() if row.expires_at else "never"}
    record(session, actor, Act.TOKEN_CREATED, row.id, name, after=after)
    log.info("token.created", account=actor.user_id, number=row.id, scopes=row.scopes)
    return NewToken(_row(row), secret)


def list_tokens(session: Session, actor: Actor) -> list[TokenRow]:
    """The actor's tokens, newest first."""
    query = select(ApiToken).where(col(ApiToken.user_id) == actor.user_id).order_by(col(ApiToken.id).desc())
    return [_row(token) for token in session.scalars(query)]


def delete_token(session: Session, actor: Actor, token_id: int) -> None:
    """Deletes a token, which stops working at once.

    Raises:
        NotFound: it does not exist, or belongs to another user.
    """
    own = (col(ApiToken.id) == token_id, col(ApiToken.user_id) == actor.user_id)
    name = session.exec(delete(ApiToken).where(*own).returning(col(ApiToken.name))).scalar_one_or_none()
    if name is None:
        raise NotFound("There is no such token; it may have been deleted already.")
    record(session, actor, Act.TOKEN_DELETED, token_id, name)
    log.info("token.deleted", account=actor.user_id, number=token_id)


def actor_from_bearer(session: Session, secret: str) -> tuple[Actor, frozenset[str]] | None:
    """The user and the scopes of a bearer token; None when it is unknown or has expired."""
    if not secret.startswith(PREFIX):
        return None
    now = utcnow()
    valid = or_(col(ApiToken.expires_at).is_(None), col(ApiToken.expires_at) > now)
    token = session.scalar(select(ApiToken).where(col(ApiToken.token_hash) == digest(secret), valid))
    user = session.get(User, token.user_id) if token else None
    if token is None or user is None or user.disabled_at is not None:
        return None
    if token.last_used_at is None or token.last_used_at < now - LAST_USED_INTERVAL:
        note_use(ApiToken, token.id or 0)
    name_token(token.name)
    return actor_of(user), frozenset(_row(token).scopes)
