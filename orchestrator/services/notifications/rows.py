"""The rows of notices that pages and the REST answers share."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class NoticeRow:
    """One notice."""

    id: int
    kind: str
    """completed | failed | stopped | recovered."""
    title: str
    body: str
    job_id: int | None
    created_at: datetime
    read: bool


@dataclass(frozen=True, slots=True)
class Notices:
    """The newest notices and how many are unread in all."""

    items: list[NoticeRow]
    unread: int


@dataclass(frozen=True, slots=True)
class WishRow:
    """How a person wants to be told."""

    webhook_url: str
    webhook_secret: str
    email: bool
    kinds: tuple[str, ...]
    address: str
    """Where e-mail goes: the account's own."""
    mail_ready: bool
    """False while no mail server is set."""
    last_error: str
    """Why the newest delivery did not arrive, "" when it did."""
