"""Extracts the clips inside Parquet files, in a sandboxed process (jobs/sandbox/extract_parquet_clips.py)."""

import shutil
from pathlib import Path

from orchestrator.domain import formatting
from orchestrator.domain.errors import Invalid
from orchestrator.domain.processes import SandboxExit
from orchestrator.services import sandbox
from orchestrator.services.datasets.files import unused_path
from orchestrator.services.datasets.ingest.decompression import MAX_RATIO
from orchestrator.services.sandbox import Tool

_ALWAYS_ALLOWED_BYTES = 2**20
_RESERVED_BYTES = 256 * 2**20


def unpack_table(table: Path, max_bytes: int) -> int:
    """Replaces a table that contains clips by a folder with their files; a table without clips stays.

    Returns:
        How many bytes were written.

    Raises:
        Invalid: the clips have more than `max_bytes`, than the disk has free, or than a table of this size can have.
    """
    folder = unused_path(table.with_suffix(""))
    folder.mkdir()
    free = shutil.disk_usage(folder).free - _RESERVED_BYTES
    limit = max(1, min(max_bytes, free, max(_ALWAYS_ALLOWED_BYTES, MAX_RATIO * table.stat().st_size)))
    code = _extract(table, folder, limit)
    if code == 0:
        table.unlink()
        return sum(path.stat().st_size for path in folder.iterdir())
    shutil.rmtree(folder, ignore_errors=True)
    if code == SandboxExit.TOO_LARGE:
        raise Invalid(f"{table.name} unpacks to more than {formatting.size(limit)}. Split it, or use fewer clips.")
    if code == SandboxExit.TOO_MANY:
        raise Invalid(f"{table.name} has more clips than are imported at once. Split it.")
    return 0


def _extract(table: Path, folder: Path, limit: int) -> int:
    """The exit code of the process; that of a table that is too large when it takes too long."""
    try:
        return sandbox.run(Tool.PARQUET_CLIPS, str(table), str(folder), str(limit)).code
    except sandbox.TimeLimitReached:
        return SandboxExit.TOO_LARGE
