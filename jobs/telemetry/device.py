"""Which device a worker has and how busy it is: psutil for the processor, NVML for GPUs; CUDA is never initialized."""

import os
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psutil

from orchestrator.domain.machines import GPU, PROCESSOR, Shape, gpu_shape
from orchestrator.domain.numbers import parse_number


@dataclass(frozen=True, slots=True)
class Device:
    """The processor, or one or more GPUs of this host."""

    label: str
    shape: Shape = PROCESSOR
    gpus: tuple[str, ...] = ()
    """As CUDA_VISIBLE_DEVICES names them: numbers or UUIDs."""
    memories: tuple[int, ...] = ()
    """Bytes of each GPU."""


def find_device(kind: str = "auto", first: int = 0, count: int | None = None) -> Device:
    """GPUs when there are some that the installed torch can use, else the processor.

    Args:
        kind: auto, cpu or gpu.
        first, count: which of the GPUs that this process may use; count None: all from `first` on.
    """
    if kind in ("auto", GPU) and torch_has_cuda():
        available = visible_gpus()[first:]
        owned = tuple(available if count is None else available[:count])
        handles = [_gpu(name) for name in owned]
        if handles and None not in handles and (count is None or len(handles) == count):
            memories = [_memory(handle)[1] for handle in handles]
            label = _title(handles[0])
            return Device(
                f"{len(handles)} \u00d7 {label}" if len(handles) > 1 else label,
                gpu_shape(memories),
                owned,
                tuple(memories),
            )
    return Device(f"CPU, {os.cpu_count() or 1} cores")


def visible_gpus() -> list[str]:
    """The GPUs that this process may use: those of CUDA_VISIBLE_DEVICES, else all of the host."""
    if (named := os.environ.get("CUDA_VISIBLE_DEVICES")) is not None:
        return [name.strip() for name in named.split(",") if name.strip() not in ("", "-1")]
    try:
        import pynvml

        pynvml.nvmlInit()
        return [str(index) for index in range(pynvml.nvmlDeviceGetCount())]
    except Exception:  # no driver, no card, no library: there is no GPU here, whatever NVML calls it
        return []


def stats(device: Device) -> dict[str, Any]:
    """memory_used, memory_total (bytes), utilisation (0..1), cores; with GPUs their sums gpu_memory_used and _total.

    With GPUs, utilisation is theirs, and cpu_utilisation the processor's.
    """
    memory = psutil.virtual_memory()
    load: dict[str, Any] = {
        "memory_used": memory.total - memory.available,
        "memory_total": memory.total,
        "utilisation": round(psutil.cpu_percent(interval=None) / 100, 3),
        "cores": os.cpu_count() or 1,
    }
    handles = [handle for name in device.gpus if (handle := _gpu(name)) is not None]
    if handles:
        import pynvml

        used = [_memory(handle) for handle in handles]
        busy = [int(pynvml.nvmlDeviceGetUtilizationRates(handle).gpu) for handle in handles]
        load |= {"gpu_memory_used": sum(u for u, _ in used), "gpu_memory_total": sum(t for _, t in used)}
        load["cpu_utilisation"] = load["utilisation"]
        load["utilisation"] = round(sum(busy) / len(busy) / 100, 3)
    return load


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


@lru_cache(maxsize=64)
def _gpu(name: str) -> Any | None:
    try:
        import pynvml

        pynvml.nvmlInit()
        if (index := parse_number(name)) is not None:
            return pynvml.nvmlDeviceGetHandleByIndex(index)
        return pynvml.nvmlDeviceGetHandleByUUID(name)
    except Exception:  # no driver, no card, no library: there is no GPU here, whatever NVML calls it
        return None


def _memory(handle: Any) -> tuple[int, int]:
    """(used, total) in bytes."""
    import pynvml

    info = pynvml.nvmlDeviceGetMemoryInfo(handle)
    return int(info.used), int(info.total)


def _title(handle: Any) -> str:
    import pynvml

    name: Any = pynvml.nvmlDeviceGetName(handle)
    return name if isinstance(name, str) else name.decode()


if __name__ == "__main__":
    # For `./loreel up`, which starts a worker for each GPU and imports neither torch nor NVML itself.
    print(len(visible_gpus()) if torch_has_cuda() else 0)  # noqa: T201
