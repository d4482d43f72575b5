"""Every module that has a table: a foreign key is found only once the module of the table that it names is imported."""

from orchestrator.domain import (
    adapters,
    attempts,
    audit,
    credentials,
    datasets,
    metric_points,
    models,
    notifications,
    queueing,
    rehearsals,
    training_jobs,
    users,
    workers,
)

__all__ = [
    "adapters",
    "attempts",
    "audit",
    "credentials",
    "datasets",
    "metric_points",
    "models",
    "notifications",
    "queueing",
    "rehearsals",
    "training_jobs",
    "users",
    "workers",
]
