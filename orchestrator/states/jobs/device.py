"""The device card of a running job: what the run itself takes, apart from what its whole machine does."""

from collections.abc import Mapping
from dataclasses import dataclass

from orchestrator.domain import formatting
from orchestrator.services.workers import WorkerRow


@dataclass(frozen=True, slots=True)
class DeviceFacts:
    """The worker that runs the job."""

    worker: str = ""
    """"" while no worker has it."""
    device: str = ""
    cores: int = 0
    memory_total: int = 0
    gpu_memory_total: int = 0
    """0: it has no GPU."""


NO_DEVICE = DeviceFacts()
"""No worker has the job."""


@dataclass(frozen=True, slots=True)
class Gauge:
    """One measure, of the run and of what it runs on."""

    label: str
    run: str
    """What the run takes; "" where only the whole is measured."""
    run_percent: float
    total: str
    total_percent: float
    total_word: str
    """What the whole is: "Machine" or "GPU"."""


def device_facts(workers: list[WorkerRow], name: str) -> DeviceFacts:
    """The worker with this name; nothing where it has ended."""
    worker = next((row for row in workers if row.name == name), None)
    if worker is None:
        return NO_DEVICE
    return DeviceFacts(worker.name, worker.device, worker.cores, worker.memory_total, worker.gpu_memory_total)


def gauges(facts: DeviceFacts, values: Mapping[str, float]) -> list[Gauge]:
    """The gauges of one telemetry sample; a measure that it lacks is left out.

    A GPU is measured as a whole: other processes on it count, too.
    """
    rows: list[Gauge] = []
    if "gpu" in values:
        rows.append(Gauge("GPU busy", "", 0.0, formatting.percent(values["gpu"]), _percent(values["gpu"]), "GPU"))
    if "gpu_memory" in values and (total := facts.gpu_memory_total):
        used = values["gpu_memory"]
        rows.append(Gauge("GPU memory", "", 0.0, _of(used, total), _percent(used / total), "GPU"))
    if "cpu" in values and "machine_cpu" in values:
        run, machine = values["cpu"], values["machine_cpu"]
        rows.append(
            Gauge(
                "Processor",
                formatting.percent(run),
                _percent(run),
                formatting.percent(machine),
                _percent(max(run, machine)),
                "Machine",
            )
        )
    if "memory" in values and "machine_memory" in values and (total := facts.memory_total):
        run, machine = values["memory"], values["machine_memory"]
        rows.append(
            Gauge(
                "Memory",
                formatting.size(run),
                _percent(run / total),
                _of(machine, total),
                _percent(max(run, machine) / total),
                "Machine",
            )
        )
    return rows


def _percent(share: float) -> float:
    return round(100 * min(1.0, max(0.0, share)), 1)


def _of(used: float, total: float) -> str:
    return f"{formatting.size(used)} of {formatting.size(total)}"
