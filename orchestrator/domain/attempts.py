"""Tables of what the attempts of a job leave: the checkpoints that count, and the files at the end of each attempt."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Column
from sqlmodel import Field, SQLModel

from orchestrator.domain.base import UtcDateTime, utcnow


class Checkpoint(SQLModel, table=True):
    """A checkpoint that counts: it lay complete on disk while its attempt was the job's current one.

    A run resumes from these alone. What an attempt saves after it was fenced off gets no row.
    """

    __tablename__ = "checkpoints"

    job_id: int = Field(foreign_key="training_jobs.id", ondelete="CASCADE", primary_key=True)
    attempt: int = Field(primary_key=True)
    """0: in the folder of version 0.1, which knew no attempts."""
    step: int = Field(primary_key=True)
    path: str = Field(max_length=200)
    """Inside the job's folder."""
    bytes: int = Field(sa_column=Column(BigInteger, nullable=False))
    saved_at: datetime = Field(sa_type=UtcDateTime)  # type: ignore[arg-type]


class EndedAttempt(SQLModel, table=True):
    """What lay in an attempt's folder in the moment in which the attempt ended; what is written later is not read."""

    __tablename__ = "ended_attempts"

    job_id: int = Field(foreign_key="training_jobs.id", ondelete="CASCADE", primary_key=True)
    attempt: int = Field(primary_key=True)
    files: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True), nullable=True))
    """Name -> [bytes, time of the last change in ns, fingerprint] of each file and folder, the fingerprint only where
    content tells it from a later one; None where the folder was not seen."""
    ended_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)  # type: ignore[arg-type]
