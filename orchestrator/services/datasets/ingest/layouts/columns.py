"""Parquet tables as rows: a child process with limits reads them, see jobs/sandbox/read_parquet.py."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from orchestrator.settings import ROOT

_LIMIT_S = 150.0
_LENT = ("PATH", "LANG", "LC_ALL", "VIRTUAL_ENV")
TOO_LARGE = 3


def parquet_rows(path: Path, most_bytes: int) -> list[dict[str, Any]] | None:
    """The rows of a Parquet file as plain values; None when it cannot be read.

    Raises:
        OverflowError: its text is longer than `most_bytes`.
    """
    try:
        done = subprocess.run(
            [sys.executable, "-m", "jobs.sandbox.read_parquet", str(path), str(most_bytes)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_LIMIT_S,
            env={name: os.environ[name] for name in _LENT if name in os.environ} | {"PYTHONPATH": str(ROOT)},
            cwd=ROOT,
        )
    except subprocess.TimeoutExpired:
        return None
    if done.returncode == TOO_LARGE:
        raise OverflowError
    return [_flat(json.loads(line)) for line in done.stdout.splitlines()] if done.returncode == 0 else None


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    """A film that was kept as {path} is its path."""
    return {
        key: value["path"] if isinstance(value, dict) and set(value) == {"path"} else value
        for key, value in row.items()
    }
