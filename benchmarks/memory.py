"""Memory of web, controller, Redis and an idle worker, half a minute after the start."""

import time
from pathlib import Path

import psutil

from benchmarks.studio import studio
from benchmarks.target import Target

TARGETS: dict[str, Target] = {"resident_mb": {"max": 600.0}}
SETTLE_S = 30.0


def _pss(process: psutil.Process) -> int:
    """Proportional set size in bytes: pages shared by two processes count once."""
    for line in Path(f"/proc/{process.pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0


def run() -> dict[str, float]:
    """MB. `resident_mb` adds up resident sets (shared pages counted each time), `pss_mb` counts them once."""
    with studio() as running:
        time.sleep(SETTLE_S)
        figures: dict[str, float] = {"resident_mb": 0.0, "pss_mb": 0.0}
        for name, pid in running.pids.items():
            family = [psutil.Process(pid)]
            # The supervisor's children are listed by their own names.
            family += [] if name == "supervisor" else family[0].children(recursive=True)
            resident = sum(process.memory_info().rss for process in family) / 2**20
            figures[f"{name}_mb"] = round(resident, 1)
            if name != "supervisor":
                figures["resident_mb"] += resident
                figures["pss_mb"] += sum(_pss(process) for process in family) / 2**20
    return {key: round(value, 1) for key, value in figures.items()}
