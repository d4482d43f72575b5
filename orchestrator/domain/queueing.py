"""The queue of training jobs: priorities, whether it is paused, jobs a user may run at once; and sweeps."""

from datetime import datetime
from enum import IntEnum
from typing import Any

from sqlalchemy import JSON, Column, UniqueConstraint
from sqlmodel import Field, SQLModel

from orchestrator.domain.base import UtcDateTime, utcnow


class Priority(IntEnum):
    """Waiting jobs of a higher priority start first, of any owner; only an administrator gives HIGH."""

    LOW = -1
    NORMAL = 0
    HIGH = 1


PRIORITIES = {"low": Priority.LOW, "normal": Priority.NORMAL, "high": Priority.HIGH}
"""Priorities by the words of REST and pages."""


class QueueControl(SQLModel, table=True):
    """The state of the queue; there is one row."""

    __tablename__ = "queue_controls"

    name: str = Field(primary_key=True, max_length=32)
    paused: bool = False
    per_user: int | None = None
    """How many jobs of one user may train at once; None: as many as there are workers."""
    turn: int = 0
    """Raised by each dispatch, so that two processes never dispatch at once."""


class Sweep(SQLModel, table=True):
    """A group of jobs of one recipe with different values for some of its parameters."""

    __tablename__ = "sweeps"
    __table_args__ = (UniqueConstraint("owner_id", "idempotency_key"), {"sqlite_autoincrement": True})

    id: int | None = Field(default=None, primary_key=True)
    owner_id: int = Field(foreign_key="users.id", ondelete="CASCADE", index=True)
    name: str = Field(max_length=64)
    grid: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    """Recipe field (like "optim.learning_rate") to the values that are tried."""
    metric: str = Field(default="eval_loss", max_length=48)
    goal: str = Field(default="min", max_length=3)
    idempotency_key: str = Field(max_length=80)
    request_hash: str = Field(default="", max_length=64)
    """The hash of what was asked for with the key; "" for sweeps from before it was stored."""
    created_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)  # type: ignore[arg-type]
