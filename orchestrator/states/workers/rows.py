"""A worker as a row: at the foot of the sidebar and on the overview."""

from dataclasses import dataclass, field

from orchestrator.domain import formatting
from orchestrator.services.workers import WorkerRow
from orchestrator.states.shared.presentation import series_of


@dataclass(frozen=True, slots=True)
class DeviceLine:
    """One worker."""

    key: str
    host: str
    device: str
    kind: str
    alive: bool
    doing: str
    series: int
    """The job's chart colour; 0 while it is idle or works for another user."""
    memory_percent: float
    memory: str
    memory_total: str
    busy_label: str
    """What is busy: the whole machine's processor, also while the worker itself is idle, or its GPU."""
    busy_percent: float
    busy: str
    busy_curve: list[float] = field(default_factory=list)
    """The last minutes, 0 to 1."""


def busy_label(row: WorkerRow) -> str:
    """A worker measures its GPU where it has one, else the processor of its whole machine."""
    return "GPU" if row.gpu_memory_total else "Machine CPU"


def device_line(row: WorkerRow) -> DeviceLine:
    """A worker as a row."""
    share = row.memory_used / row.memory_total if row.memory_total else 0.0
    doing = row.job_name or ("Busy with another user's job" if row.busy else "Idle")
    return DeviceLine(
        key=row.name,
        host=row.host,
        device=row.device,
        kind=formatting.plural(row.cores, "core") if row.device == "cpu" and row.cores else "",
        alive=row.alive,
        doing=doing if row.alive else "No heartbeat",
        series=series_of(row.job_id) if row.job_id and row.alive else 0,
        memory_percent=round(100 * share, 1),
        memory=formatting.size(row.memory_used),
        memory_total=formatting.size(row.memory_total),
        busy_label=busy_label(row),
        busy_percent=round(100 * row.utilisation, 1),
        busy=formatting.percent(row.utilisation),
        busy_curve=[sample[0] for sample in row.past],
    )
