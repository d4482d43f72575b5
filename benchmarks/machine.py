"""The machine and the commit of a benchmark run: what its figures depend on in addition to the code."""

import os
import platform
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
QUIET_LOAD_PER_CORE = 0.25
"""Load average per core up to which a machine counts as quiet: half of one core busy on a machine with two."""


def describe_machine() -> str:
    """Processor, cores, memory and GPU, such as "AMD EPYC, 2 cores, 24 GB, no GPU"."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    return f"{_processor()}, {core_count()} cores, {memory:.0f} GB, {_gpu()}"


def core_count() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def load_average() -> float:
    """Processes that ran or waited to run, averaged over the last minute."""
    return round(os.getloadavg()[0], 2)


def is_idle(load: float) -> bool:
    """Whether the machine is idle enough for a figure that counts."""
    return load <= QUIET_LOAD_PER_CORE * core_count()


def current_commit() -> str:
    """The short hash, with "-dirty" where a tracked file outside the record differs from it; "" without git."""
    head = _git("rev-parse", "--short", "HEAD")
    ours = (":!benchmarks/history.jsonl", ":!benchmarks/README.md")  # each run writes these
    return f"{head}-dirty" if head and _git("status", "--porcelain", "-uno", "--", ".", *ours) else head


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or platform.machine()


def _gpu() -> str:
    if not shutil.which("nvidia-smi"):
        return "no GPU"
    return _output("nvidia-smi", "--query-gpu=name", "--format=csv,noheader").replace("\n", " + ") or "no GPU"


def _git(*arguments: str) -> str:
    return _output("git", *arguments)


def _output(*command: str) -> str:
    try:
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""
