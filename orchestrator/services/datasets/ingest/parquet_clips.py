"""Writes out the clips inside Parquet tables, in a child with limits (jobs/sandbox/extract_parquet_clips.py)."""

import shutil
from pathlib import Path

from orchestrator.domain.errors import Invalid
from orchestrator.services import sandbox
from orchestrator.services.datasets.files import free_name
from orchestrator.services.datasets.ingest.zip_archives import MAX_RATIO
from orchestrator.services.sandbox import Tool

_TOO_LARGE, _TOO_MANY = 3, 5
_FREELY = 2**20
_SPARE_BYTES = 256 * 2**20


def unpack_table(table: Path, max_bytes: int) -> int:
    """Puts a folder of files in the place of a table that holds clips; a table without any stays. Bytes written.

    Raises:
        Invalid: they are more than `max_bytes`, than the disk holds, or than a table of its size can hold.
    """
    folder = free_name(table.with_suffix(""))
    folder.mkdir()
    free = shutil.disk_usage(folder).free - _SPARE_BYTES
    most = max(1, min(max_bytes, free, max(_FREELY, MAX_RATIO * table.stat().st_size)))
    code = _run(table, folder, most)
    if code == 0:
        table.unlink()
        return sum(path.stat().st_size for path in folder.iterdir())
    shutil.rmtree(folder, ignore_errors=True)
    if code == _TOO_LARGE:
        raise Invalid(f"{table.name} unpacks to more than {most / 2**20:,.0f} MB. Split it, or bring fewer clips.")
    if code == _TOO_MANY:
        raise Invalid(f"{table.name} holds more clips than are taken at once. Split it.")
    return 0


def _run(table: Path, folder: Path, most: int) -> int:
    try:
        return sandbox.run(Tool.PARQUET_CLIPS, str(table), str(folder), str(most)).code
    except sandbox.TimeLimitReached:
        return _TOO_LARGE
