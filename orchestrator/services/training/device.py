"""Chooses which kind of worker a job goes to."""

from datetime import timedelta

from sqlmodel import Session, col, select

from orchestrator.domain.base import utcnow
from orchestrator.domain.workers import ALIVE_S, Worker

CPU, GPU, PREP = "cpu", "gpu", "prep"
"""prep: unpacking and probing datasets, which must not wait behind a training of days."""


def device_class_for(session: Session) -> str:
    """The GPU workers' box when one of them is alive, else the CPU workers'."""
    fresh = utcnow() - timedelta(seconds=ALIVE_S)
    statement = select(Worker.name).where(Worker.device_class == GPU, col(Worker.beat_at) > fresh).limit(1)
    return GPU if session.exec(statement).first() else CPU
