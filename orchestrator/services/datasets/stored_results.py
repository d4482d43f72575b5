"""Results about large datasets that the prep worker computes and keeps as files, so that the web only reads them.

A result belongs to one state of its dataset (`state_of`): after an edit it is computed again, where it is asked for.
"""

import hashlib
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from orchestrator.services.datasets.files import dataset_folder
from orchestrator.services.datasets.rows import DatasetRow

STORED_FROM = 5_000
"""Clips from which results are kept; those of smaller datasets take the web less time than a file deserves."""
_Result = TypeVar("_Result")


def state_of(row: DatasetRow, *further: object) -> str:
    """Names the state of a dataset that a result belongs to; `further`: what it depends on besides the clips."""
    parts = (row.id, row.version, row.updated_at.isoformat(), row.clip_count, row.bad_count, *further)
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:24]


def is_stored(row: DatasetRow) -> bool:
    """Whether results about this dataset are kept."""
    return row.clip_count + row.bad_count >= STORED_FROM


def stored_or_computed(
    row: DatasetRow, name: str, state: str, kind: TypeAdapter[_Result], compute: Callable[[], _Result]
) -> _Result:
    """The kept result of this state, else a new one, which is kept."""
    if not is_stored(row):
        return compute()
    path = _folder(row.id) / f"{name}-{state}.json"
    try:
        return kind.validate_json(path.read_bytes())
    except (OSError, ValidationError):
        result = compute()
        _store(path, name, kind.dump_json(result))
        return result


def _folder(dataset_id: int) -> Path:
    return dataset_folder(dataset_id) / "results"


def _store(path: Path, name: str, data: bytes) -> None:
    """Writes a result, and deletes those of former states; a full disk costs the file only."""
    part = path.with_name(f".{secrets.token_hex(4)}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(data)
        os.replace(part, path)
        for former in path.parent.glob(f"{name}-*.json"):
            if former != path:
                former.unlink(missing_ok=True)
    except OSError:
        part.unlink(missing_ok=True)
