"""Prints what a program of the sandbox has read, as JSON lines."""

import json
import sys
from collections.abc import Iterable
from typing import Any

from orchestrator.domain.processes import SandboxExit


def print_lines(rows: Iterable[Any], max_bytes: int, default: Any = None) -> int:
    """Prints one line a row.

    Args:
        default: makes a JSON value of one that is none.

    Returns:
        The exit code: 0, or `TOO_LARGE` when the lines are longer than `max_bytes`.
    """
    written = 0
    for row in rows:
        line = json.dumps(row, default=default) + "\n"
        written += len(line)
        if written > max_bytes:
            return SandboxExit.TOO_LARGE
        sys.stdout.write(line)
    sys.stdout.flush()
    return 0
