"""What a worker is: a process on some host that takes jobs for one device."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column
from sqlmodel import Field, SQLModel

from orchestrator.domain.base import UtcDateTime, utcnow


class Worker(SQLModel, table=True):
    """A worker's last beat; alive while the beat is younger than `ALIVE_S` seconds."""

    __tablename__ = "workers"

    name: str = Field(primary_key=True, max_length=120)
    host: str = Field(max_length=120)
    device: str = Field(default="cpu", max_length=64)
    device_class: str = Field(default="cpu", max_length=32)
    pool: str = Field(default="", max_length=32, sa_column_kwargs={"name": "box"})
    """Its shape as one word (`machines.Shape.word`); workers of one pool share a queue."""
    gpus: list[int] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    """Memory of each GPU it owns, in bytes."""
    pid: int = 0
    job_id: int | None = None
    draining: bool = False
    """True: it ends what it does and takes nothing more."""
    started_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)  # type: ignore[arg-type]
    beat_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)  # type: ignore[arg-type]
    stats: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    """memory_used, memory_total (bytes), utilisation (0..1), cores."""


class ControllerLease(SQLModel, table=True):
    """Exactly one controller acts: the holder of the one row whose lease has not run out."""

    __tablename__ = "controller_leases"

    name: str = Field(primary_key=True, max_length=32)
    holder: str = Field(max_length=120)
    expires_at: datetime = Field(sa_type=UtcDateTime)  # type: ignore[arg-type]


ALIVE_S = 15.0
