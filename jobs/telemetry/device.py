"""What a worker runs on and how busy it is: the processor by psutil, GPUs by NVML, never by touching CUDA."""

import os
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psutil


@dataclass(frozen=True, slots=True)
class Device:
    """cpu, or one GPU by its index."""

    device_class: str
    label: str
    index: int | None = None


def find_device(wanted: str = "auto", index: int = 0) -> Device:
    """The GPU when there is one that the installed torch can use, else the processor."""
    if wanted in ("auto", "gpu") and torch_has_cuda():
        handle = _gpu(index)
        if handle is not None:
            import pynvml

            name: Any = pynvml.nvmlDeviceGetName(handle)
            return Device("gpu", name if isinstance(name, str) else name.decode(), index)
    return Device("cpu", f"CPU, {os.cpu_count() or 1} cores")


def stats(device: Device) -> dict[str, Any]:
    """memory_used, memory_total (bytes), utilisation (0..1), cores; of a GPU gpu_memory_used and _total."""
    memory = psutil.virtual_memory()
    facts: dict[str, Any] = {
        "memory_used": memory.total - memory.available,
        "memory_total": memory.total,
        "utilisation": round(psutil.cpu_percent(interval=None) / 100, 3),
        "cores": os.cpu_count() or 1,
    }
    handle = _gpu(device.index) if device.index is not None else None
    if handle is not None:
        import pynvml

        info = pynvml.nvmlDeviceGetMemoryInfo(handle)
        facts |= {"gpu_memory_used": int(info.used), "gpu_memory_total": int(info.total)}
        facts["cpu_utilisation"] = facts["utilisation"]
        facts["utilisation"] = int(pynvml.nvmlDeviceGetUtilizationRates(handle).gpu) / 100
    return facts


@lru_cache(maxsize=1)
def torch_has_cuda() -> bool:
    """Whether the installed torch was built for CUDA, read from its version file without importing it."""
    spec = find_spec("torch")
    if spec is None or not spec.origin:
        return False
    try:
        text = (Path(spec.origin).parent / "version.py").read_text()
    except OSError:
        return False
    return any(line.startswith("cuda") and "None" not in line for line in text.splitlines())


@lru_cache(maxsize=8)
def _gpu(index: int) -> Any | None:
    try:
        import pynvml

        pynvml.nvmlInit()
        return pynvml.nvmlDeviceGetHandleByIndex(index)
    except Exception:  # no driver, no card, no library: there is no GPU here, whatever NVML calls it
        return None
