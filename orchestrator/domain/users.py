"""Tables of accounts, browser sessions, one-time login tickets and API tokens; and the `Actor` of a request."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlmodel import Field, SQLModel

from orchestrator.domain.base import UtcDateTime, text_enum, utcnow


class Role(StrEnum):
    """The first account is the administrator; all others are members."""

    ADMIN = "admin"
    MEMBER = "member"


SCOPES = ("read", "write", "infer")
"""What a token may do: read, change, or only ask models (a key for a chat front end)."""


class User(SQLModel, table=True):
    """An account. `username_key` and `email_key` are casefolded: names that differ only in case are the same name."""

    __tablename__ = "users"
    __table_args__ = {"sqlite_autoincrement": True}

    id: int | None = Field(default=None, primary_key=True)
    username: str = Field(max_length=32)
    username_key: str = Field(max_length=32, unique=True, index=True)
    email: str = Field(max_length=254)
    email_key: str = Field(max_length=254, unique=True, index=True)
    password_hash: str = Field(max_length=255)
    role: Role = Field(default=Role.MEMBER, sa_type=text_enum(Role))  # type: ignore[arg-type]
    created_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)  # type: ignore[arg-type]
    disabled_at: datetime | None = Field(default=None, sa_type=UtcDateTime)  # type: ignore[arg-type]
    """Since when it is disabled: it cannot log in, and its tokens do not work. None while it is active."""


class UserSession(SQLModel, table=True):
    """A signed-in browser. Only the SHA-256 of the cookie's token is stored."""

    __tablename__ = "user_sessions"

    id: int | None = Field(default=None, primary_key=True)
    user_id: int = Field(foreign_key="users.id", ondelete="CASCADE", index=True)
    token_hash: str = Field(max_length=64, unique=True, index=True)
    created_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)  # type: ignore[arg-type]
    last_seen_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)  # type: ignore[arg-type]
    expires_at: datetime = Field(sa_type=UtcDateTime)  # type: ignore[arg-type]
    user_agent: str = Field(default="", max_length=300)
    ip: str = Field(default="", max_length=64)
    confirmed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)  # type: ignore[arg-type]
    """When the password was last given to confirm a change; None when only at the login."""


class LoginTicket(SQLModel, table=True):
    """A one-time ticket, valid for seconds, that is exchanged for a cookie after a login over the websocket."""

    __tablename__ = "login_tickets"

    token_hash: str = Field(primary_key=True, max_length=64)
    user_id: int = Field(foreign_key="users.id", ondelete="CASCADE")
    remember: bool = True
    expires_at: datetime = Field(sa_type=UtcDateTime)  # type: ignore[arg-type]


class PasswordReset(SQLModel, table=True):
    """A one-time link that sets a new password; only the hash of its secret is stored."""

    __tablename__ = "password_resets"

    token_hash: str = Field(primary_key=True, max_length=64)
    user_id: int = Field(foreign_key="users.id", ondelete="CASCADE", index=True)
    expires_at: datetime = Field(sa_type=UtcDateTime)  # type: ignore[arg-type]


class ApiToken(SQLModel, table=True):
    """A bearer token for scripts (`lrl_...`); only its hash is stored, the token is shown once."""

    __tablename__ = "api_tokens"

    id: int | None = Field(default=None, primary_key=True)
    user_id: int = Field(foreign_key="users.id", ondelete="CASCADE", index=True)
    name: str = Field(max_length=80)
    token_hash: str = Field(max_length=64, unique=True, index=True)
    scopes: str = Field(default="read,write", max_length=200)
    created_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)  # type: ignore[arg-type]
    last_used_at: datetime | None = Field(default=None, sa_type=UtcDateTime)  # type: ignore[arg-type]
    expires_at: datetime | None = Field(default=None, sa_type=UtcDateTime)  # type: ignore[arg-type]


class Milestone(StrEnum):
    """What an account has done once, where no other record of it stays."""

    PLAYGROUND = "playground"
    """Asked a model in the playground."""
    DOWNLOAD = "download"
    """Downloaded an adapter."""
    CHECKLIST_HIDDEN = "checklist_hidden"
    """Put the checklist of the overview away."""


class UserMilestone(SQLModel, table=True):
    """When an account did one of these first."""

    __tablename__ = "user_milestones"

    user_id: int = Field(foreign_key="users.id", ondelete="CASCADE", primary_key=True)
    name: str = Field(primary_key=True, max_length=32)
    reached_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Actor:
    """The user of a request; every service takes it instead of an ORM record."""

    user_id: int
    username: str
    email: str
    role: Role

    @property
    def is_admin(self) -> bool:
        return self.role is Role.ADMIN
