"""Watches what a run takes of its machine: a line every few seconds in the job's folder, and to open pages."""

import contextlib
import json
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import psutil

from jobs.telemetry.device import Device, find_device, stats
from orchestrator.domain.live_records import SystemSample
from orchestrator.services.live_events import publish_system

FIRST_S = 2.0
SLOWEST_S = 30.0
"""A run of days needs no line every two seconds: about a thousand lines tell its story too."""


class Sampler:
    """Samples a trainer and its children until `stop`. Never raises: a run goes on without it."""

    def __init__(self, folder: Path, job_id: int, pid: int, gpus: int = 0) -> None:
        """`gpus`: how many of the visible ones this run trains on; 0: all."""
        self._gpus = gpus or None
        self._path, self._job_id, self._pid = folder / "telemetry.jsonl", job_id, pid
        self._over = threading.Event()
        self._known: dict[int, psutil.Process] = {}
        self._n, self._begun = _resume(self._path)

    def start(self) -> None:
        threading.Thread(target=self._loop, daemon=True, name="sampler").start()

    def stop(self) -> None:
        """No further line is written."""
        self._over.set()

    def _loop(self) -> None:
        device = find_device(count=self._gpus)
        stats(device)  # the first reading of the processor's share says nothing
        began = time.monotonic()
        while not self._over.wait(min(SLOWEST_S, max(FIRST_S, (time.monotonic() - began) / 1_000))):
            with contextlib.suppress(OSError, psutil.Error):
                self._write(self._sample(device))

    def _sample(self, device: Device) -> SystemSample:
        machine = stats(device)
        cpu, memory = self._run()
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
        return {"n": self._n, "t": now.isoformat(), "s": round(now.timestamp() - self._begun, 1), "values": values}

    def _run(self) -> tuple[float, int]:
        """Cores that the run keeps busy, and the bytes that it and its children hold."""
        cpu, memory = 0.0, 0
        with contextlib.suppress(psutil.Error):
            top = self._known.setdefault(self._pid, psutil.Process(self._pid))
            for process in [top, *top.children(recursive=True)]:
                known = self._known.setdefault(process.pid, process)
                with contextlib.suppress(psutil.Error):
                    cpu += known.cpu_percent(interval=None) / 100
                    memory += known.memory_info().rss
        return cpu, memory

    def _write(self, line: SystemSample) -> None:
        with self._path.open("a") as file:
            file.write(json.dumps(line, separators=(",", ":")) + "\n")
        publish_system(self._job_id, line)


def _resume(path: Path) -> tuple[int, float]:
    """The number of lines that earlier attempts wrote, and when the first was: time goes on across attempts."""
    try:
        lines = path.read_text().splitlines()
        return len(lines), datetime.fromisoformat(json.loads(lines[0])["t"]).timestamp() - json.loads(lines[0])["s"]
    except (OSError, ValueError, KeyError, IndexError):
        return 0, time.time()
