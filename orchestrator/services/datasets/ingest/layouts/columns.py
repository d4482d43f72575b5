"""Parquet tables as rows: a child process with limits reads them, see jobs/sandbox/read_parquet.py."""

import json
from pathlib import Path
from typing import Any

from orchestrator.services import sandbox
from orchestrator.services.sandbox import Tool

TOO_LARGE = 3


def parquet_rows(path: Path, most_bytes: int) -> list[dict[str, Any]] | None:
    """The rows of a Parquet file as plain values; None when it cannot be read.

    Raises:
        OverflowError: its text is longer than `most_bytes`.
    """
    try:
        done = sandbox.run(Tool.PARQUET_ROWS, str(path), str(most_bytes))
    except sandbox.TimeLimitReached:
        return None
    if done.code == TOO_LARGE:
        raise OverflowError
    return [_flat(json.loads(line)) for line in done.output.splitlines()] if done.code == 0 else None


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    """A film that was kept as {path} is its path."""
    return {
        key: value["path"] if isinstance(value, dict) and set(value) == {"path"} else value
        for key, value in row.items()
    }
