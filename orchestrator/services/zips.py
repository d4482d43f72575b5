"""A folder as one zip file for download: made once, again when the folder has changed, and never seen half-written."""

import os
import shutil
import tempfile
import zipfile
from pathlib import Path

from orchestrator.domain import formatting
from orchestrator.domain.errors import DiskFull, Unavailable

_RESERVED_BYTES = 512 * 2**20
"""Left free on the disk for the database and the runs."""


def up_to_date_zip(source: Path, target: Path, root: str) -> Path:
    """Writes the files of `source` into the zip file `target`, below the folder name `root`, unless it is up to date.

    Raises:
        DiskFull: the disk has too little space for it. Unavailable: it could not be written.
    """
    newest = max((p.stat().st_mtime for p in source.rglob("*")), default=0.0)
    if not target.exists() or target.stat().st_mtime < newest:
        _write(source, target, root)
    return target


def _write(source: Path, target: Path, root: str) -> None:
    """Writes a temporary file and renames it, so that two downloads at once never see half a file."""
    part: Path | None = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        files = sorted(p for p in source.rglob("*") if p.is_file())
        need, free = sum(p.stat().st_size for p in files), shutil.disk_usage(target.parent).free
        if free < need + _RESERVED_BYTES:
            sizes = f"{formatting.size(need)} of disk, and {formatting.size(free)} are free"
            raise DiskFull(f"The zip needs {sizes}, of which some stay for the runs. Free space, then try again.")
        handle, name = tempfile.mkstemp(prefix=".zip-", dir=target.parent)
        os.close(handle)
        part = Path(name)
        with zipfile.ZipFile(part, "w", zipfile.ZIP_STORED, strict_timestamps=False) as archive:
            for path in files:
                archive.write(path, f"{root}/{path.relative_to(source).as_posix()}")
        part.replace(target)
    except OSError as error:
        raise Unavailable("The zip could not be written; the disk may be full. Free space, then try again.") from error
    finally:
        if part is not None:
            part.unlink(missing_ok=True)
