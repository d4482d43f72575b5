"""Tables of notifications: the notification, each user's delivery preferences, and deliveries with their retries."""

from datetime import datetime

from sqlalchemy import Column, Index, Text
from sqlmodel import Field, SQLModel

from orchestrator.domain.base import UtcDateTime, utcnow

KINDS = ("completed", "failed", "stopped", "recovered")
"""A job completed, failed, was stopped, or lost its worker and was resumed automatically."""


class Notification(SQLModel, table=True):
    """One notification of one user."""

    __tablename__ = "notifications"
    __table_args__ = (Index("ix_notifications_user_read", "user_id", "read_at"), {"sqlite_autoincrement": True})

    id: int | None = Field(default=None, primary_key=True)
    user_id: int = Field(foreign_key="users.id", ondelete="CASCADE")
    kind: str = Field(max_length=32)
    title: str = Field(max_length=160)
    body: str = Field(default="", max_length=500)
    job_id: int | None = Field(default=None, foreign_key="training_jobs.id", ondelete="SET NULL", index=True)
    created_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)  # type: ignore[arg-type]
    read_at: datetime | None = Field(default=None, sa_type=UtcDateTime)  # type: ignore[arg-type]


class NotificationPreference(SQLModel, table=True):
    """Where a user's notifications are sent in addition to the studio itself."""

    __tablename__ = "notice_wishes"

    user_id: int = Field(foreign_key="users.id", ondelete="CASCADE", primary_key=True)
    webhook_url: str = Field(default="", max_length=500)
    webhook_secret: str = Field(default="", sa_column=Column(Text, nullable=False))
    """Signs the webhook's body; stored encrypted, because a hash could not sign."""
    email: bool = False
    kinds: str = Field(default=",".join(KINDS), max_length=200)
    """The kinds that are sent, separated by commas."""


class NotificationDelivery(SQLModel, table=True):
    """The delivery of one notification through one channel, retried until it arrives or is given up."""

    __tablename__ = "notice_deliveries"
    __table_args__ = (Index("ix_notice_deliveries_due", "done_at", "next_at"),)

    id: int | None = Field(default=None, primary_key=True)
    notification_id: int = Field(foreign_key="notifications.id", ondelete="CASCADE", index=True)
    channel: str = Field(max_length=16)
    """webhook or email."""
    tries: int = 0
    next_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)  # type: ignore[arg-type]
    done_at: datetime | None = Field(default=None, sa_type=UtcDateTime)  # type: ignore[arg-type]
    """When it was delivered, or given up."""
    error: str = Field(default="", max_length=300)
    """Why the last try failed; "" when it was delivered."""
