"""The rows of accounts, sessions and tokens that pages and the API share; none holds a hash."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from orchestrator.domain.json_schemas import OneOf
from orchestrator.domain.users import SCOPES, Role


@dataclass(frozen=True, slots=True)
class AccountRow:
    """A user's own account."""

    id: int
    username: str
    email: str
    role: Annotated[str, OneOf(Role)]
    created_at: datetime


@dataclass(frozen=True, slots=True)
class SessionRow:
    """One signed-in browser; `current`: the one that made this request."""

    id: int
    user_agent: str
    ip: str
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    current: bool


@dataclass(frozen=True, slots=True)
class TokenRow:
    """An API token without its secret."""

    id: int
    name: str
    scopes: tuple[Annotated[str, OneOf(SCOPES)], ...]
    created_at: datetime
    last_used_at: datetime | None
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token that was just created, with its secret, which is shown this once only."""

    row: TokenRow
    token: str
