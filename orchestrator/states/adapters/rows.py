"""The rows of the adapter pages, made of what the services return."""

from dataclasses import dataclass

from orchestrator.domain import formatting
from orchestrator.domain.metric_definitions import figure
from orchestrator.domain.tasks import METRICS, TASKS
from orchestrator.services.adapters.rows import AdapterRow


@dataclass(frozen=True, slots=True)
class AdapterLine:
    """One version, as a row of a list or the head of its page."""

    id: int
    name: str
    version: str
    """Such as "v3"."""
    label: str
    """Name and version: "demo-motion v3"."""
    production: bool
    production_text: str
    """The version of its line in production, or ""."""
    full_model: bool
    """All weights of a model rather than low-rank ones."""
    task: str
    base: str
    model_id: int
    dataset: str
    dataset_id: int
    job_id: int
    """0 where the job was deleted, and likewise dataset_id and model_id."""
    parent_id: int
    """The version that its training continued from; 0 where it began with a new adapter."""
    parent: str
    """Name and version of that one; "" where it was deleted."""
    metric: str
    value: str
    size: str
    made_at: str


@dataclass(frozen=True, slots=True)
class MetricLine:
    """One metric of a version, and the untouched base's (or chance level) for comparison."""

    label: str
    now: str
    before: str
    name: str = ""
    """As the run stores it: eval_accuracy."""


def adapter_line(row: AdapterRow) -> AdapterLine:
    """A version as a row."""
    version, used = f"v{row.version}", row.production_version
    return AdapterLine(
        id=row.id,
        name=row.name,
        version=version,
        label=f"{row.name} {version}",
        production=row.production,
        production_text=f"v{used}" if used else "",
        full_model=row.kind == "model",
        task=TASKS[row.task].title if row.task in TASKS else "",
        base=row.model_name,
        model_id=row.model_id or 0,
        dataset=f"{row.dataset_name} v{row.dataset_version}",
        dataset_id=row.dataset_id or 0,
        job_id=row.job_id or 0,
        parent_id=row.parent_id or 0,
        parent=row.parent_name,
        metric=row.metric_label,
        value=_figure(row.metric, row.value),
        size=formatting.size(row.size_bytes),
        made_at=formatting.iso(row.created_at),
    )


def metric_lines(row: AdapterRow) -> list[MetricLine]:
    """Every metric of its task that was measured, then the loss."""
    values, before = row.summary.values, row.summary.baseline
    metrics = TASKS[row.task].judged_by(row.summary.problem_type) if row.task in TASKS else ()
    names = [*((metric.name, metric.label) for metric in metrics), ("eval_loss", "Validation loss")]
    return [
        MetricLine(label, _figure(name, values[name]), _figure(name, before.get(name)), name)
        for name, label in names
        if name in values
    ]


def baseline_name(row: AdapterRow) -> str:
    """What the version is compared with."""
    return row.summary.baseline_name or (TASKS[row.task].baseline if row.task in TASKS else "")


def _figure(name: str, value: float | None) -> str:
    if value is None:
        return ""
    return figure(METRICS[name], value) if name in METRICS else formatting.loss(value)
