"""The rows of notifications and preferences that pages and the REST API share."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from orchestrator.domain.json_schemas import OneOf
from orchestrator.domain.notifications import KINDS


@dataclass(frozen=True, slots=True)
class NotificationRow:
    """One notification."""

    id: int
    kind: Annotated[str, OneOf(KINDS)]
    title: str
    body: str
    job_id: int | None
    created_at: datetime
    read: bool


@dataclass(frozen=True, slots=True)
class NotificationList:
    """The newest notifications, and how many are unread in total."""

    items: list[NotificationRow]
    unread: int


@dataclass(frozen=True, slots=True)
class PreferencesRow:
    """Where a user's notifications are sent, and which kinds."""

    webhook_url: str
    webhook_secret: str
    email: bool
    kinds: tuple[Annotated[str, OneOf(KINDS)], ...]
    address: str
    """The e-mail address of the account, where mails go."""
    mail_ready: bool
    """Whether the settings name a mail server."""
    last_error: str
    """Why the newest delivery failed; "" when it arrived."""
