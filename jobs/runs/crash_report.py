"""Explains why a trainer died from its exit code, its last lines and the kernel's out-of-memory counter."""

import re
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from orchestrator.domain.failures import FailureKind

_OUTSIDE_SIGNALS = {signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGINT}
"""Signals that come from outside the trainer: from the kernel, a shutdown or an administrator."""
_EXCEPTION = re.compile(r"(?:[A-Za-z_][\w.]*\.)?([A-Z]\w*(?:Error|Exception|Interrupt|Exit|Problem))(?::\s*(.*))?")
_MEMORY = re.compile(r"out of memory|cannot allocate memory|can't allocate memory|MemoryError|bad_alloc", re.I)
_DISK = re.compile(r"No space left on device|ENOSPC|Disk quota exceeded", re.I)

_KILLED_RANK = re.compile(r"Root Cause \(first observed failure\):[\s\S]{0,400}?exitcode\s*:\s*-(\d+)")
"""What the launcher of several ranks prints when one of them was killed; it ends the others itself."""


@dataclass(frozen=True, slots=True)
class CrashReport:
    """Why a run ended. MACHINE_LOST: killed from outside, so that it may resume from its checkpoint."""

    kind: FailureKind
    sentence: str
    details: str


def explain_crash(code: int, lines: Sequence[str], oom_kills: int = 0) -> CrashReport:
    """Finds the cause of a trainer's end.

    Args:
        code: its exit code; negative: the signal that ended it.
        lines: the last lines that it printed.
        oom_kills: how many processes the kernel killed for memory while it ran.
    """
    details = "\n".join(lines)
    text = details[-20_000:]
    if code < 0:
        return _killed(-code, details, oom_kills)
    if rank := _KILLED_RANK.search(text):
        return _killed(int(rank[1]), details, oom_kills)
    if _MEMORY.search(text):
        return CrashReport(
            FailureKind.OUT_OF_MEMORY,
            "The training ran out of memory. Use a smaller batch size, fewer frames or a smaller frame size.",
            details,
        )
    if _DISK.search(text):
        return CrashReport(FailureKind.DISK_FULL, "The disk is full. Free some space, then resume the job.", details)
    last = _last_exception(lines)
    sentence = f"The training failed: {last}" if last else f"The training ended with exit code {code}."
    return CrashReport(FailureKind.CRASH, sentence, details)


def _killed(number: int, details: str, oom_kills: int) -> CrashReport:
    try:
        name = signal.Signals(number).name
    except ValueError:
        name = "unknown"
    if number == signal.SIGKILL and oom_kills:
        sentence = "The machine ran out of memory and ended the training. Use a smaller batch size or fewer frames."
        return CrashReport(FailureKind.OUT_OF_MEMORY, sentence, details)
    if number in _OUTSIDE_SIGNALS:
        sentence = f"The training process was killed by signal {number} ({name})."
        return CrashReport(FailureKind.MACHINE_LOST, sentence, details)
    return CrashReport(FailureKind.CRASH, f"The training process crashed with signal {number} ({name}).", details)


def _last_exception(lines: Sequence[str]) -> str:
    """The message and type of the last exception that was printed, or ""."""
    for line in reversed(lines):
        if match := _EXCEPTION.fullmatch(line.strip()):
            message = (match[2] or "").strip().rstrip(".")
            return f"{message[:400]} ({match[1]})." if message else f"{match[1]}."
    return ""


def oom_kill_count() -> int:
    """How many processes the kernel has killed for memory so far, in this container or machine; 0 when unknown."""
    for path, field in (("/sys/fs/cgroup/memory.events", "oom_kill "), ("/proc/vmstat", "oom_kill ")):
        try:
            for line in Path(path).read_text().splitlines():
                if line.startswith(field):
                    return int(line.split()[1])
        except (OSError, ValueError, IndexError):
            continue
    return 0
