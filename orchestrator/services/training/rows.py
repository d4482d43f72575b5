"""The rows of training jobs that pages and the REST answers share."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from orchestrator.domain.failures import FailureKind


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
    failure: FailureKind | None = None
    """Why it failed, as a word; None unless it failed."""


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
    visual_tokens: int = 0
    """What a clip takes of a language model's context; 0 where the base has none, or its config does not tell."""
    context: int = 0
    """Tokens that the base reads at once, where it is a language model."""
    vision_frozen: bool = False
    """True where what sees stays as it is, and only the language model gets adapters."""
    has_eye: bool = False
    """True where a vision tower stands apart from the language model, so that it may be adapted or not."""
    has_liger: bool = False
    """True where Liger's kernels can be switched on: this base, on a GPU."""
    measured: bool = False
    """True where memory and time come from a rehearsal of this very recipe."""
    rehearsed: dict[str, Any] = field(default_factory=dict)
    """What that rehearsal found; empty while `measured` is False."""
    device_memory: int = 0
    """Bytes of the largest device among the workers; 0 while none answers."""
    guesses: tuple[str, ...] = ()
    """Fields of problems that rest on an estimate alone: a rehearsal may show that they are none."""
    advice: list[str] = field(default_factory=list)
    """Sentences that hinder nothing: what would be wiser."""


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
