"""`python -m jobs.sandbox.read_xlsx FILE MAX_BYTES`: prints the rows of a workbook's sheets as JSON lines.

A workbook is a zip of XML documents, which may grow beyond any limit when they are read: this process ends then.
"""

import re
import sys
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any, BinaryIO

from jobs.sandbox import limits
from jobs.sandbox.json_lines import print_lines

MEMORY_BYTES = 2 * 2**30
CPU_S = 120
_MAX_CHARS = 20_000
_ERRORS = frozenset({"#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NULL!", "#NUM!"})
"""What spreadsheets show in place of a value."""
_FORMULA = re.compile(rb"<f[ >/]")


def main() -> int:
    """{"sheet", "row", "cells"} of each row that has values; exit code `TOO_LARGE` beyond MAX_BYTES.

    A line {"sheet", "notes"} stands behind a sheet of which something is not read.
    """
    path, max_bytes = sys.argv[1], int(sys.argv[2])
    limits.apply(memory_bytes=MEMORY_BYTES, cpu_s=CPU_S, file_bytes=0)
    with open(path, "rb") as file:
        return print_lines(_rows(file), max_bytes)


def _rows(file: BinaryIO) -> Iterator[dict[str, Any]]:
    import openpyxl

    # Values as they were last calculated, instead of formulas.
    workbook = openpyxl.load_workbook(file, read_only=True, data_only=True, keep_links=False)
    shown = [sheet for sheet in workbook.worksheets if sheet.sheet_state == "visible"]
    for sheet in workbook.worksheets:
        if shown and sheet not in shown:
            yield {"sheet": sheet.title, "notes": [f"the sheet {sheet.title} is hidden, and is not read"]}
            continue
        errors: list[str] = []
        for number, cells in enumerate(sheet.iter_rows(values_only=True), 1):
            errors += [f"{cell} in row {number:,}" for cell in cells if cell in _ERRORS]
            values = [None if cell in _ERRORS else plain(cell) for cell in cells]
            while values and values[-1] is None:
                values.pop()
            if values:
                yield {"sheet": sheet.title, "row": number, "cells": values}
        notes = (
            [f"{_cells(len(errors))} an error in place of a value, and read as empty: {errors[0]}"] if errors else []
        )
        if missing := _uncalculated(file, sheet.title):
            notes.append(
                f"{_cells(missing[0])} a formula without a value, and read as empty (the first is {missing[1]}): open "
                "the file in a spreadsheet program and save it there"
            )
        if notes:
            yield {"sheet": sheet.title, "notes": notes}


def _cells(count: int) -> str:
    return "1 cell has" if count == 1 else f"{count:,} cells have"


def _uncalculated(file: BinaryIO, title: str) -> tuple[int, str] | None:
    """(how many cells of a sheet hold a formula without a value, the first of them); None where none does."""
    import openpyxl

    if not _has_formulas(file):
        return None
    values = openpyxl.load_workbook(file, read_only=True, data_only=True, keep_links=False)[title]
    formulas = openpyxl.load_workbook(file, read_only=True, keep_links=False)[title]
    missing = [
        stated.coordinate
        for found, row in zip(values.iter_rows(), formulas.iter_rows(), strict=False)
        for value, stated in zip(found, row, strict=False)
        if value.value is None and stated.data_type == "f"
    ]
    return (len(missing), missing[0]) if missing else None


def _has_formulas(file: BinaryIO) -> bool:
    with zipfile.ZipFile(file) as book:
        for name in book.namelist():
            if not name.startswith("xl/worksheets/"):
                continue
            with book.open(name) as sheet:
                before = b""
                while block := sheet.read(2**20):
                    if _FORMULA.search(before + block):
                        return True
                    before = block[-2:]
    return False


def plain(value: Any) -> Any:
    """A cell as a JSON value: times as a clock writes them, since spreadsheets turn 0:05 into a time."""
    if isinstance(value, datetime) and value.time() == time():
        return value.date().isoformat()  # a spreadsheet stores a day as its midnight
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if value is None or isinstance(value, bool | int | float):
        return value
    return str(value)[:_MAX_CHARS] or None


if __name__ == "__main__":
    sys.exit(main())
