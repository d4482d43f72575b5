"""The rows of training jobs that pages and the REST API share."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any

from orchestrator.domain.failures import FailureKind
from orchestrator.domain.json_keys import json_key
from orchestrator.domain.json_schemas import Described, OneOf
from orchestrator.domain.queueing import PRIORITIES
from orchestrator.domain.recipes import Recipe
from orchestrator.domain.rehearsals import RehearsalFacts
from orchestrator.domain.run_summary import RunSummary
from orchestrator.domain.tasks import ProblemType, Task
from orchestrator.domain.training_jobs import JobStatus


@dataclass(frozen=True, slots=True)
class JobRow:
    """One training job."""

    id: int
    name: str
    status: Annotated[str, OneOf(JobStatus)]
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
    summary: RunSummary
    error: str
    error_details: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    eta_s: float | None
    """Seconds that remain; None when unknown, or when it has ended."""
    recipe: Annotated[dict[str, Any], Described(Recipe)]
    worker: str
    attempt: int
    active: bool
    """True while it waits or runs."""
    priority: Annotated[str, OneOf(PRIORITIES)] = "normal"
    owner: str = ""
    """The username of its owner, in an administrator's list of all jobs; else ""."""
    sweep_id: int | None = None
    dataset_version: int = 1
    """The version of the dataset that it trains on, which later edits do not change."""
    model_revision: str = ""
    """The revision of the base model's weights; "" where it has none."""
    failure: FailureKind | None = None
    """The cause of the failure; None unless it failed."""


@dataclass(frozen=True, slots=True)
class EventRow:
    """One event of a job's timeline."""

    job_id: int
    job_name: str
    kind: str
    message: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ShapeGroup:
    """The clips of a dataset with frames of one size, and what the base sees of them."""

    width: int
    """Pixels of a frame as it is stored."""
    height: int
    clips: int
    least_frames: int
    """Frames that are sampled of the shortest clip."""
    most_frames: int
    """The same of the longest one."""
    seen_width: int
    """Pixels of a frame of the longest clip as the base sees it."""
    seen_height: int
    least_tokens: int
    """Tokens of the context that the shortest clip takes; 0 where the base has no language model."""
    most_tokens: int
    over_context: int
    """Clips that do not fit the context of the base."""


@dataclass(frozen=True, slots=True)
class Preflight:
    """The plan of a launch, or the problems that prevent it."""

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
    annotations: dict[str, int] = field(default_factory=dict)
    """How many labels, captions and questions the clips of both splits have; a clip may have several of each."""
    task: Annotated[str, OneOf(Task, "")] = ""
    """The task of the run; empty where the base is not known."""
    problem_type: Annotated[str, OneOf(ProblemType, "")] = ""
    """Whether clips have several labels, which decides loss and metrics; empty where the base is not known."""
    visual_tokens: int = 0
    """Tokens of the context that a clip takes; 0 where the base has no language model, or its config no sizes."""
    context: int = 0
    """The context length of the base in tokens; 0 where it has no language model."""
    vision_frozen: bool = False
    """Whether the vision tower stays frozen, so that only the language model gets adapters."""
    has_vision_tower: bool = field(default=False, metadata=json_key("has_eye"))
    """Whether the base has a vision tower apart from its language model, which can get adapters too."""
    has_liger: bool = False
    """Whether Liger's kernels can be used: with this base, on a GPU."""
    measured: bool = False
    """Whether memory and time come from a rehearsal of the same shape of run."""
    rehearsed: Annotated[dict[str, Any], Described(RehearsalFacts)] = field(default_factory=dict)
    """The result of that rehearsal; empty while `measured` is False."""
    device_memory: int = 0
    """Memory of the largest device among the live workers, in bytes; 0 without workers."""
    counts_head: bool = True
    """Whether `trainable_parameters` has the head that is trained fully; False where its size is not known before."""
    guesses: tuple[str, ...] = ()
    """Fields of problems that are only estimated: a rehearsal may show that there is no problem."""
    advice: list[str] = field(default_factory=list)
    """Suggestions that do not prevent the launch."""
    shapes: tuple[ShapeGroup, ...] = ()
    """The clips by the size of their frames, the most frequent first, at most 50 sizes; empty without sizes."""
    over_context: int = 0
    """Clips of any size that do not fit the context of the base."""


@dataclass(frozen=True, slots=True)
class Draft:
    """The values of an unfinished job form, and the key that makes a double click launch once."""

    values: dict[str, Any] = field(default_factory=dict)
    launch_key: str = ""
    updated_at: datetime | None = None
    id: int = 0
    """0 until it is stored."""
    stored_edit: tuple[str, int] = ("", 0)
    """Tab and number of the change that was stored last."""


@dataclass(frozen=True, slots=True)
class DraftRow:
    """A draft in the list of those that can be continued; a name is empty if it was not chosen or deleted."""

    id: int
    name: str
    dataset_name: str
    model_name: str
    step: int
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class CheckpointRow:
    """A checkpoint of a job."""

    step: int
    attempt: int
    """The attempt that saved it."""
    size_bytes: int
    saved_at: datetime
    best: bool = False
    """Whether its evaluation is the best so far, so that the run exports it; False where the last step is exported."""


@dataclass(frozen=True, slots=True)
class ArtifactRow:
    """One file of a job that can be downloaded."""

    name: str
    """The path inside the job's folder, with forward slashes."""
    size_bytes: int
    modified_at: datetime
