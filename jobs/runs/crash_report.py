"""Tells why a trainer died from its exit code, its last lines and the kernel's out-of-memory counter."""

import re
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from orchestrator.domain.failures import FailureKind

_MACHINE_SIGNALS = {signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGINT}
_EXCEPTION = re.compile(r"(?:[A-Za-z_][\w.]*\.)?([A-Z]\w*(?:Error|Exception|Interrupt|Exit|Problem))(?::\s*(.*))?")
_MEMORY = re.compile(r"out of memory|cannot allocate memory|can't allocate memory|MemoryError|bad_alloc", re.I)
_DISK = re.compile(r"No space left on device|ENOSPC|Disk quota exceeded", re.I)

_FALLEN = re.compile(r"Root Cause \(first observed failure\):[\s\S]{0,400}?exitcode\s*:\s*-(\d+)")
"""What the launcher of several trainers says when one of them was killed; it ends the others itself."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Why a run ended. MACHINE_LOST: killed from outside, so that it may go on from its checkpoint."""

    kind: FailureKind
    sentence: str
    details: str


def explain(code: int, lines: Sequence[str], oom_kills: int = 0) -> Verdict:
    """Reads the death of a trainer.

    Args:
        code: its exit code; negative: the signal that ended it.
        lines: the last lines it wrote.
        oom_kills: how many processes the kernel killed for memory while it ran.
    """
    details = "\n".join(lines)
    text = details[-20_000:]
    if code < 0:
        return _by_signal(-code, details, oom_kills)
    if fallen := _FALLEN.search(text):
        return _by_signal(int(fallen.group(1)), details, oom_kills)
    if _MEMORY.search(text):
        return Verdict(
            FailureKind.OUT_OF_MEMORY,
            "The training ran out of memory. Use a smaller batch size, fewer frames or a smaller frame size.",
            details,
        )
    if _DISK.search(text):
        return Verdict(FailureKind.DISK_FULL, "The disk is full. Free some space, then resume the job.", details)
    last = _last_exception(lines)
    sentence = f"The training failed: {last}" if last else f"The training ended with exit code {code}."
    return Verdict(FailureKind.CRASH, sentence, details)


def _by_signal(number: int, details: str, oom_kills: int) -> Verdict:
    try:
        name = signal.Signals(number).name
    except ValueError:
        name = "unknown"
    if number == signal.SIGKILL and oom_kills:
        sentence = "The machine ran out of memory and ended the training. Use a smaller batch size or fewer frames."
        return Verdict(FailureKind.OUT_OF_MEMORY, sentence, details)
    if number in _MACHINE_SIGNALS:
        sentence = f"The training process was killed by signal {number} ({name})."
        return Verdict(FailureKind.MACHINE_LOST, sentence, details)
    return Verdict(FailureKind.CRASH, f"The training process crashed with signal {number} ({name}).", details)


def _last_exception(lines: Sequence[str]) -> str:
    for line in reversed(lines):
        match = _EXCEPTION.fullmatch(line.strip())
        if match:
            said = (match.group(2) or "").strip().rstrip(".")
            return f"{said[:400]} ({match.group(1)})." if said else f"{match.group(1)}."
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
