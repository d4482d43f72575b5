"""The rows of training jobs that pages and the REST answers share."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class JobRow:
    """One training job as a list or a page shows it."""

    id: int
    name: str
    status: str
    owner_id: int
    dataset_id: int | None
    dataset_name: str
    model_id: int | None
    model_name: str
    step: int
    total_steps: int
    epoch: float
    epochs: int
    progress: float
    """0..1."""
    summary: dict[str, Any]
    """Latest value of each series, best_*, phase, eta_s, samples_per_s; at the end confusion matrix and class names."""
    error: str
    error_details: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    eta_s: float | None
    """Seconds to go, None when unknown or over."""
    recipe: dict[str, Any]
    worker: str
    attempt: int
    active: bool
    """True while it waits or runs."""
    priority: str = "normal"
    """low | normal | high."""
    owner: str = ""
    """Whose it is, where an administrator looks at others' jobs."""
    sweep_id: int | None = None
    dataset_version: int = 1
    """The version of the dataset that it learns from, whatever was edited since."""


@dataclass(frozen=True, slots=True)
class EventRow:
    """One line of a job's timeline."""

    job_id: int
    job_name: str
    kind: str
    message: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Preflight:
    """What a launch would do, or what stands in its way."""

    ok: bool
    problems: list[tuple[str, str]]
    """(field, sentence); fields are dataset_id, model_id and the recipe's own ("qlora.r")."""
    trainable_parameters: int = 0
    total_parameters: int = 0
    steps: int = 0
    memory_bytes: int = 0
    seconds: float = 0.0
    adapter_bytes: int = 0
    train_clips: int = 0
    validation_clips: int = 0
    task: str = ""
    """The dataset's."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What a person typed in the wizard so far, and the key that makes a double click launch once."""

    values: dict[str, Any] = field(default_factory=dict)
    launch_key: str = ""
    updated_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ArtifactRow:
    """One file of a job's folder that may be taken home."""

    name: str
    """Path inside the job's folder, with forward slashes."""
    size_bytes: int
    modified_at: datetime
