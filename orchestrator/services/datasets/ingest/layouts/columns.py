"""Reads the rows of Parquet files and of workbooks, in sandboxed processes (jobs/sandbox)."""

import json
from pathlib import Path
from typing import Any

from orchestrator.domain.processes import SandboxExit
from orchestrator.services import sandbox
from orchestrator.services.datasets.ingest.layouts.splits import SPLITS
from orchestrator.services.datasets.ingest.layouts.tables import column_names
from orchestrator.services.sandbox import Tool


def parquet_rows(path: Path, max_bytes: int) -> list[dict[str, Any]] | None:
    """The rows of a Parquet file as plain values; None when it cannot be read.

    Raises:
        OverflowError: the rows have more than `max_bytes` as text.
    """
    records = _records(Tool.PARQUET_ROWS, path, max_bytes)
    return None if records is None else [_flat(record) for record in records]


def xlsx_rows(path: Path, max_bytes: int) -> tuple[list[tuple[str, int, dict[str, Any]]], list[str]] | None:
    """(sheet, number, row) of each row below a header in any sheet of a workbook, and what is not read of it.

    None when it cannot be read.

    A sheet that is named like a split gives its rows this split.

    Raises:
        OverflowError: the rows have more than `max_bytes` as text.
    """
    records = _records(Tool.XLSX_ROWS, path, max_bytes)
    if records is None:
        return None
    headers: dict[str, list[str]] = {}
    rows: list[tuple[str, int, dict[str, Any]]] = []
    notes: list[str] = []
    for record in records:
        if "notes" in record:
            notes += record["notes"]
            continue
        sheet, cells = record["sheet"], record["cells"]
        if sheet not in headers:
            headers[sheet] = column_names(["" if cell is None else str(cell) for cell in cells], len(cells))
            continue
        row = {name: value for name, value in zip(headers[sheet], cells, strict=False) if name}
        split = {"split": sheet} if sheet.lower() in SPLITS and "split" not in row else {}
        rows.append((sheet, record["row"], row | split))
    return rows, notes


def _records(tool: Tool, path: Path, max_bytes: int) -> list[dict[str, Any]] | None:
    """The JSON lines that a reader prints; None where it fails.

    Raises:
        OverflowError: they are longer than `max_bytes`.
    """
    try:
        done = sandbox.run(tool, str(path), str(max_bytes))
    except sandbox.TimeLimitReached:
        return None
    if done.code == SandboxExit.TOO_LARGE:
        raise OverflowError
    return [json.loads(line) for line in done.output.splitlines()] if done.code == 0 else None


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    """Replaces a video that is stored as {path} by its path."""
    return {
        key: value["path"] if isinstance(value, dict) and set(value) == {"path"} else value
        for key, value in row.items()
    }
