"""Samples the processor and memory that a run takes: every few seconds, into the job's folder and to open pages."""

import contextlib
import json
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import psutil

from jobs.telemetry.device import Device, find_device, stats
from orchestrator.domain.job_files import TELEMETRY
from orchestrator.domain.live_records import SystemSample
from orchestrator.services.live_events import publish_system

MIN_INTERVAL_S = 2.0
MAX_INTERVAL_S = 30.0
"""The longer a run, the rarer its samples: about a thousand are enough for a curve."""


class Sampler:
    """Samples a trainer and its children until `stop`. Never raises: the run continues without it."""

    def __init__(self, folder: Path, job_id: int, pid: int, gpus: int = 0) -> None:
        """
        Args:
            gpus: how many of the visible ones this run trains on; 0: all.
        """
        self._gpus = gpus or None
        self._path, self._job_id, self._pid = folder / TELEMETRY, job_id, pid
        self._stopping = threading.Event()
        self._processes: dict[int, psutil.Process] = {}
        self._n, self._first_at = _resume(self._path)

    def start(self) -> None:
        threading.Thread(target=self._loop, daemon=True, name="sampler").start()

    def stop(self) -> None:
        """Ends the sampling."""
        self._stopping.set()

    def _loop(self) -> None:
        device = find_device(count=self._gpus)
        stats(device)  # psutil measures since the previous call, so the first one means nothing
        began = time.monotonic()
        while not self._stopping.wait(min(MAX_INTERVAL_S, max(MIN_INTERVAL_S, (time.monotonic() - began) / 1_000))):
            with contextlib.suppress(OSError, psutil.Error):
                self._write(self._sample(device))

    def _sample(self, device: Device) -> SystemSample:
        machine = stats(device)
        cpu, memory = self._measure_run()
        values: dict[str, float] = {
            "cpu": round(cpu / machine["cores"], 4),
            "memory": memory,
            "machine_cpu": machine.get("cpu_utilisation", machine["utilisation"]),
            "machine_memory": machine["memory_used"],
        }
        if "gpu_memory_total" in machine:
            values |= {"gpu": machine["utilisation"], "gpu_memory": machine["gpu_memory_used"]}
        now = datetime.now(UTC)
        self._n += 1
        return {"n": self._n, "t": now.isoformat(), "s": round(now.timestamp() - self._first_at, 1), "values": values}

    def _measure_run(self) -> tuple[float, int]:
        """Cores that the run keeps busy, and the bytes of memory that it and its children hold."""
        cpu, memory = 0.0, 0
        with contextlib.suppress(psutil.Error):
            top = self._processes.setdefault(self._pid, psutil.Process(self._pid))
            for process in [top, *top.children(recursive=True)]:
                known = self._processes.setdefault(process.pid, process)
                with contextlib.suppress(psutil.Error):
                    cpu += known.cpu_percent(interval=None) / 100
                    memory += known.memory_info().rss
        return cpu, memory

    def _write(self, line: SystemSample) -> None:
        with self._path.open("a") as file:
            file.write(json.dumps(line, separators=(",", ":")) + "\n")
        publish_system(self._job_id, line)


def _resume(path: Path) -> tuple[int, float]:
    """How many samples earlier attempts wrote, and the Unix time of the first: the curve continues across attempts."""
    try:
        lines = path.read_text().splitlines()
        return len(lines), datetime.fromisoformat(json.loads(lines[0])["t"]).timestamp() - json.loads(lines[0])["s"]
    except (OSError, ValueError, KeyError, IndexError):
        return 0, time.time()
