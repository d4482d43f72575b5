"""The audit log as a file: CSV for spreadsheets, JSON lines for other programs."""

import csv
import dataclasses
import io
from collections.abc import Iterator
from typing import Any

from sqlmodel import Session

from orchestrator.domain.audit import Act
from orchestrator.domain.errors import Invalid
from orchestrator.domain.users import Actor
from orchestrator.services.audit.chain import canonical
from orchestrator.services.audit.entries import AuditFilter, AuditRow, all_entries, conditions, require_administrator
from orchestrator.services.audit.recording import record
from orchestrator.services.db import session_scope
from orchestrator.services.formula_cells import escape_formula

FORMATS = {"csv": "text/csv", "jsonl": "application/x-ndjson"}
"""The media type of each format."""
_COLUMNS = [field.name for field in dataclasses.fields(AuditRow)]


def begin_export(session: Session, actor: Actor, chosen: AuditFilter, kind: str) -> None:
    """Checks that the actor may export these entries, and records that it was done.

    Raises:
        NotAllowed: not an administrator. Invalid: field acts, outcome or format.
    """
    require_administrator(actor)
    if kind not in FORMATS:
        raise Invalid(f"Choose from: {', '.join(FORMATS)}.", "format")
    conditions(chosen)
    named = {name: value for name, value in _values(chosen).items() if value}
    record(session, actor, Act.AUDIT_EXPORTED, object_name="audit log", after={"format": kind, **named})


def export_lines(chosen: AuditFilter, kind: str) -> Iterator[str]:
    """The lines of the file, in transactions of its own; the oldest entry first.

    Args:
        kind: one of `FORMATS`.
    """
    if kind == "csv":
        yield _csv_line(_COLUMNS)
    with session_scope() as session:
        for row in all_entries(session, chosen):
            yield _csv_line(_cells(row)) if kind == "csv" else canonical(_values(row)) + "\n"


def _values(row: Any) -> dict[str, Any]:
    return {field.name: getattr(row, field.name) for field in dataclasses.fields(row)}


def _cells(row: AuditRow) -> list[str]:
    """No cell is a formula for a spreadsheet."""
    return [escape_formula(_cell(value)) for value in _values(row).values()]


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, dict):
        return canonical(value) if value else ""
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _csv_line(cells: list[str]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerow(cells)
    return buffer.getvalue()
