"""The rows of adapters that pages and the REST API share."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from orchestrator.domain.adapters import Adapter, ResultKind
from orchestrator.domain.families import current_title
from orchestrator.domain.json_schemas import Described, OneOf
from orchestrator.domain.recipes import Recipe
from orchestrator.domain.run_summary import RunSummary
from orchestrator.domain.tasks import TASKS, Task


@dataclass(frozen=True, slots=True)
class AdapterRow:
    """One adapter version, without the path of its files."""

    id: int
    name: str
    version: int
    kind: Annotated[str, OneOf(ResultKind)]
    """adapter, or model for a fully trained one."""
    task: Annotated[str, OneOf(Task, "")]
    production: bool
    newest: bool
    """Whether it is the highest version of its line."""
    versions: int
    """How many versions its line has."""
    production_version: int | None
    """The version of its line that is in production."""
    job_id: int | None
    """None when the job was deleted; the adapter stays."""
    dataset_id: int | None
    dataset_name: str
    dataset_version: int
    model_id: int | None
    model_name: str
    model_revision: str
    family: str
    architecture: str
    metric: str
    """The metric that stands for its task, or ""."""
    metric_label: str
    value: float | None
    baseline: float | None
    """The value of the untrained base, or of chance."""
    recipe: Annotated[dict[str, Any], Described(Recipe)]
    summary: RunSummary
    size_bytes: int
    created_at: datetime
    parent_id: int | None = None
    """The adapter version that its training continued from; None where it began with a new adapter."""
    parent_name: str = ""
    """Name and version of that adapter; "" where it was deleted."""


@dataclass(frozen=True, slots=True)
class LineFacts:
    """What the row of a version shows about its line."""

    newest: int
    versions: int
    production: int | None


def parent_id_of(adapter: Adapter) -> int | None:
    """The adapter version that its training continued from."""
    return (adapter.recipe or {}).get("adapter")


def adapter_row(adapter: Adapter, line: LineFacts, parent_name: str = "") -> AdapterRow:
    """The row of a stored adapter."""
    assert adapter.id is not None
    summary = adapter.summary
    metric = TASKS[adapter.task].headline(summary.problem_type) if adapter.task in TASKS else None
    name = metric.name if metric else ""
    return AdapterRow(
        id=adapter.id,
        name=adapter.name,
        version=adapter.version,
        kind=adapter.kind.value,
        task=adapter.task,
        production=line.production == adapter.version,
        newest=line.newest == adapter.version,
        versions=line.versions,
        production_version=line.production,
        job_id=adapter.job_id,
        dataset_id=adapter.dataset_id,
        dataset_name=adapter.dataset_name,
        dataset_version=adapter.dataset_version,
        model_id=adapter.model_id,
        model_name=adapter.model_name,
        model_revision=adapter.model_revision,
        family=adapter.family,
        architecture=current_title(adapter.architecture),
        metric=name,
        metric_label=metric.label if metric else "",
        value=summary.value(name),
        baseline=summary.baseline.get(name),
        recipe=dict(adapter.recipe or {}),
        summary=summary,
        size_bytes=adapter.size_bytes,
        created_at=adapter.created_at,
        parent_id=parent_id_of(adapter),
        parent_name=parent_name,
    )
