"""Writes out the clips inside Parquet tables, in a child with limits (jobs/sandbox/extract_parquet_clips.py)."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from orchestrator.domain.errors import Invalid
from orchestrator.services.datasets.files import free_name
from orchestrator.services.datasets.ingest.zip_archives import MAX_RATIO
from orchestrator.settings import ROOT

_LIMIT_S = 4_000.0
_LENT = ("PATH", "LANG", "LC_ALL", "VIRTUAL_ENV")
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
        return subprocess.run(
            [sys.executable, "-m", "jobs.sandbox.extract_parquet_clips", str(table), str(folder), str(most)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=_LIMIT_S,
            env={name: os.environ[name] for name in _LENT if name in os.environ} | {"PYTHONPATH": str(ROOT)},
            cwd=ROOT,
        ).returncode
    except subprocess.TimeoutExpired:
        return _TOO_LARGE
