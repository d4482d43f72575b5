"""Tables of the worker processes and of the controller's lease."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column
from sqlmodel import Field, SQLModel

from orchestrator.domain.base import UtcDateTime, utcnow


class Worker(SQLModel, table=True):
    """A worker process, with its last heartbeat: it is alive while that is younger than `ALIVE_S` seconds."""

    __tablename__ = "workers"

    name: str = Field(primary_key=True, max_length=120)
    host: str = Field(max_length=120)
    device: str = Field(default="cpu", max_length=64)
    device_class: str = Field(default="cpu", max_length=32)
    pool: str = Field(default="", max_length=32, sa_column_kwargs={"name": "box"})
    """The name of its shape (`machines.Shape.name`); workers of one pool share a queue."""
    gpus: list[int] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    """Memory of each GPU that it owns, in bytes."""
    pid: int = 0
    job_id: int | None = None
    draining: bool = False
    """True: it finishes what it does and takes nothing more."""
    started_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)  # type: ignore[arg-type]
    beat_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)  # type: ignore[arg-type]
    stats: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    """memory_used, memory_total (bytes), utilisation (0..1), cores."""


class ControllerLease(SQLModel, table=True):
    """Who leads the controllers: the holder, until the lease expires. There is one row."""

    __tablename__ = "controller_leases"

    name: str = Field(primary_key=True, max_length=32)
    holder: str = Field(max_length=120)
    expires_at: datetime = Field(sa_type=UtcDateTime)  # type: ignore[arg-type]


ALIVE_S = 15.0
