"""Where a dataset's bytes lie: its clips and film strips in the storage, its uploads beside it until they are read."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

from orchestrator.settings import get_settings

_ENDINGS = "mp4 m4v mov mkv webm avi mpg mpeg m2ts mts ts wmv flv 3gp ogv gif"
VIDEO_ENDINGS = frozenset(f".{ending}" for ending in _ENDINGS.split())
UNPACKED = "unpacked"
"""Begins the name of the folder whose files wait to be accepted."""
FETCHED_PART, PART_NOTE = "part", "part.json"
"""In a folder of a fetch: what has arrived of the file of a web address; what the folder is of."""
OBJECT = "object-"
"""There begins the name of what has arrived, whole or half, of a bucket or of the Hub."""
_LITTER = frozenset({".ds_store", "thumbs.db", "desktop.ini"})


def dataset_folder(dataset_id: int) -> Path:
    """Everything of one dataset; deleting the dataset deletes it."""
    return get_settings().storage_dir / "datasets" / str(dataset_id)


def fetch_folders(dataset_id: int) -> list[Path]:
    """Where bytes from the network arrive, before they become uploads."""
    return list((get_settings().data_dir / "uploads").glob(f"fetch-{dataset_id}-*"))


def partial_bytes(folder: Path, source: dict[str, Any] | None = None) -> int:
    """How much of a fetch that broke off lies in its folder, to be gone on from; 0 where it is of another `source`."""
    try:
        note = json.loads((folder / PART_NOTE).read_text())
        if source is not None and note.get("source") != _known_by(source):
            return 0
        with os.scandir(folder) as entries:
            kept = [entry for entry in entries if entry.name == FETCHED_PART or entry.name.startswith(OBJECT)]
            return sum(entry.stat().st_size for entry in kept)
    except (OSError, ValueError):
        return 0


def _known_by(source: dict[str, Any]) -> str:
    """A dataset's source without its key and its revision: what arrived is known by its own version."""
    return str(source.get("url") or source.get("uri") or source.get("repo") or "")


def remove_unpacked(dataset_id: int) -> None:
    """Deletes what waited, unpacked, to be accepted."""
    for folder in dataset_folder(dataset_id).glob(f"{UNPACKED}-*"):
        shutil.rmtree(folder, ignore_errors=True)


def remove_folder(dataset_id: int) -> None:
    """Deletes the dataset's files; nothing happens when there are none."""
    for folder in (dataset_folder(dataset_id), *fetch_folders(dataset_id)):
        shutil.rmtree(folder, ignore_errors=True)


def is_litter(name: str) -> bool:
    """Files that operating systems leave in folders and nobody meant to upload."""
    parts = name.split("/")
    return "__MACOSX" in parts or parts[-1].lower() in _LITTER or parts[-1].startswith("._")


def free_name(path: Path) -> Path:
    """`path`, or with a number before its ending when there is such a file already: two zips may use the same names."""
    number, found = 2, path
    while found.exists():
        found, number = path.with_name(f"{path.stem} ({number}){path.suffix}"), number + 1
    return found
