"""Tables of training metrics: single points, and rollups that make long runs cheap to draw."""

from sqlalchemy import BigInteger, Column
from sqlmodel import Field, SQLModel


class MetricPoint(SQLModel, table=True):
    """One value of one series at one optimizer step; a resumed attempt overwrites the steps that it repeats."""

    __tablename__ = "metric_points"

    job_id: int = Field(foreign_key="training_jobs.id", ondelete="CASCADE", primary_key=True)
    series: str = Field(max_length=48, primary_key=True)
    step: int = Field(primary_key=True)
    value: float
    epoch: float = 0.0
    seq: int = 0
    """Rises by one with each record of the job, across attempts, so that a page can detect a gap."""
    at_ms: int = Field(default=0, sa_column=Column(BigInteger, nullable=False, default=0))
    """When it was measured, in milliseconds since 1970, UTC; for queries by hand, no page reads it."""


ROLLUP_STEPS = 256
"""Steps that one rollup covers: a million points become four thousand rows, few enough for a page."""


class MetricRollup(SQLModel, table=True):
    """The lowest and the highest point of one series in `ROLLUP_STEPS` steps, updated with each point."""

    __tablename__ = "metric_rollups"

    job_id: int = Field(foreign_key="training_jobs.id", ondelete="CASCADE", primary_key=True)
    series: str = Field(max_length=48, primary_key=True)
    bucket: int = Field(primary_key=True)
    """step // ROLLUP_STEPS."""
    low: float
    low_step: int
    high: float
    high_step: int
    points: int
    seq: int
    """The highest `seq` of its points, to find what is newer than a given one."""
