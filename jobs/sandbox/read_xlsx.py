"""`python -m jobs.sandbox.read_xlsx FILE MAX_BYTES`: prints the rows of a workbook's sheets as JSON lines.

A workbook is a zip of XML documents, which may grow beyond any limit when they are read: this process ends then.
"""

import sys
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any, BinaryIO

from jobs.sandbox import limits
from jobs.sandbox.json_lines import print_lines

MEMORY_BYTES = 2 * 2**30
CPU_S = 120
_MAX_CHARS = 20_000


def main() -> int:
    """{"sheet", "row", "cells"} of each row that has values; exit code `TOO_LARGE` beyond MAX_BYTES."""
    path, max_bytes = sys.argv[1], int(sys.argv[2])
    limits.apply(memory_bytes=MEMORY_BYTES, cpu_s=CPU_S, file_bytes=0)
    with open(path, "rb") as file:
        return print_lines(_rows(file), max_bytes)


def _rows(file: BinaryIO) -> Iterator[dict[str, Any]]:
    import openpyxl

    # Values as they were last calculated, instead of formulas.
    workbook = openpyxl.load_workbook(file, read_only=True, data_only=True, keep_links=False)
    for sheet in workbook.worksheets:
        for number, cells in enumerate(sheet.iter_rows(values_only=True), 1):
            values = [plain(cell) for cell in cells]
            while values and values[-1] is None:
                values.pop()
            if values:
                yield {"sheet": sheet.title, "row": number, "cells": values}


def plain(value: Any) -> Any:
    """A cell as a JSON value: times as a clock writes them, since spreadsheets turn 0:05 into a time."""
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if value is None or isinstance(value, bool | int | float):
        return value
    return str(value)[:_MAX_CHARS] or None


if __name__ == "__main__":
    sys.exit(main())
