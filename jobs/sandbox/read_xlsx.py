"""`python -m jobs.sandbox.read_xlsx FILE MAX_BYTES`: prints the rows of a workbook's sheets as JSON lines.

A workbook is a zip of XML documents, which may grow beyond any limit when they are read: this process ends then.
"""

import json
import sys
from datetime import date, datetime, time, timedelta
from typing import Any

from jobs.sandbox import limits
from orchestrator.domain.processes import SandboxExit

MEMORY_BYTES = 2 * 2**30
CPU_S = 120
_MAX_CHARS = 20_000


def main() -> int:
    """{"sheet", "row", "cells"} of each row that has values; exit code `TOO_LARGE` beyond MAX_BYTES."""
    path, max_bytes = sys.argv[1], int(sys.argv[2])
    limits.apply(memory_bytes=MEMORY_BYTES, cpu_s=CPU_S, file_bytes=0)
    import openpyxl

    written = 0
    with open(path, "rb") as file:
        # Values as they were last calculated, instead of formulas.
        workbook = openpyxl.load_workbook(file, read_only=True, data_only=True, keep_links=False)
        for sheet in workbook.worksheets:
            for number, cells in enumerate(sheet.iter_rows(values_only=True), 1):
                values = [plain(cell) for cell in cells]
                while values and values[-1] is None:
                    values.pop()
                if not values:
                    continue
                line = json.dumps({"sheet": sheet.title, "row": number, "cells": values}) + "\n"
                written += len(line)
                if written > max_bytes:
                    return SandboxExit.TOO_LARGE
                sys.stdout.write(line)
    sys.stdout.flush()
    return 0


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
