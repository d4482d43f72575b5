"""What a measured point is, and the JSON records that travel from trainer to page."""

from sqlalchemy import BigInteger, Column
from sqlmodel import Field, SQLModel

SERIES = ("loss", "learning_rate", "grad_norm", "samples_per_s", "eval_loss")
"""The series that every run has, in the order pages show them; the measures of its task follow."""


class MetricPoint(SQLModel, table=True):
    """One value of one series at one optimizer step; a resumed attempt overwrites what it trains again."""

    __tablename__ = "metric_points"

    job_id: int = Field(foreign_key="training_jobs.id", ondelete="CASCADE", primary_key=True)
    series: str = Field(max_length=48, primary_key=True)
    step: int = Field(primary_key=True)
    value: float
    epoch: float = 0.0
    seq: int = 0
    """Rises by one with each record of the job, across attempts: how a page sees a gap."""
    at_ms: int = Field(default=0, sa_column=Column(BigInteger, nullable=False, default=0))
    """Milliseconds since 1970, UTC."""


ROLLUP_STEPS = 256
"""How many steps one rollup covers: a million points become four thousand rows, which a page can afford to read."""


class MetricRollup(SQLModel, table=True):
    """The lowest and the highest point of one series in a run of steps, written along with the points."""

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
    """The highest record number in it: where to look for what is newer than some number."""
