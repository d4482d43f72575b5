"""Reads the rows of Parquet files, in a sandboxed process (jobs/sandbox/read_parquet.py)."""

import json
from pathlib import Path
from typing import Any

from orchestrator.domain.processes import SandboxExit
from orchestrator.services import sandbox
from orchestrator.services.sandbox import Tool


def parquet_rows(path: Path, max_bytes: int) -> list[dict[str, Any]] | None:
    """The rows of a Parquet file as plain values; None when it cannot be read.

    Raises:
        OverflowError: the rows have more than `max_bytes` as text.
    """
    try:
        done = sandbox.run(Tool.PARQUET_ROWS, str(path), str(max_bytes))
    except sandbox.TimeLimitReached:
        return None
    if done.code == SandboxExit.TOO_LARGE:
        raise OverflowError
    return [_flat(json.loads(line)) for line in done.output.splitlines()] if done.code == 0 else None


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    """Replaces a video that is stored as {path} by its path."""
    return {
        key: value["path"] if isinstance(value, dict) and set(value) == {"path"} else value
        for key, value in row.items()
    }
