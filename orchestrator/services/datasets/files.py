"""The files of a dataset: clips and film strips in the storage, downloads until they are imported."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

from orchestrator.settings import get_settings

_ENDINGS = "mp4 m4v mov mkv webm avi mpg mpeg m2ts mts ts wmv flv 3gp ogv gif"
VIDEO_ENDINGS = frozenset(f".{ending}" for ending in _ENDINGS.split())
UNPACKED = "unpacked"
"""Prefix of the folder with unpacked files that wait for a review of their layout."""
FETCHED_PART, PART_NOTE = "part", "part.json"
"""Files in the folder of a download: the part of a web file that has arrived; the description of the source."""
OBJECT_PREFIX = "object-"
"""Prefix of files that were downloaded from a bucket or the Hub, complete or in part."""
_SYSTEM_FILES = frozenset({".ds_store", "thumbs.db", "desktop.ini"})


def is_video(name: str) -> bool:
    """Whether the name has the ending of a video; its content is checked by the probe."""
    return ending_of(name) in VIDEO_ENDINGS


def ending_of(name: str) -> str:
    """Like `PurePosixPath.suffix` in lower case, but ten times faster: an upload may have 100,000 names."""
    last = name.rpartition("/")[2]
    stem, dot, ending = last.rpartition(".")
    return f".{ending.lower()}" if dot and ending and stem.strip(".") else ""


def dataset_folder(dataset_id: int) -> Path:
    """The folder of a dataset, which is deleted with it."""
    return get_settings().storage_dir / "datasets" / str(dataset_id)


def fetch_folders(dataset_id: int) -> list[Path]:
    """The folders of downloads for this dataset, before their files become uploads."""
    return list((get_settings().data_dir / "uploads").glob(f"fetch-{dataset_id}-*"))


def partial_bytes(folder: Path, source: dict[str, Any] | None = None) -> int:
    """Bytes of an interrupted download that can be resumed.

    Args:
        source: only if the download is of this source.
    """
    try:
        note = json.loads((folder / PART_NOTE).read_text())
        if source is not None and note.get("source") != _source_key(source):
            return 0
        with os.scandir(folder) as entries:
            files = [entry for entry in entries if entry.name == FETCHED_PART or entry.name.startswith(OBJECT_PREFIX)]
            return sum(entry.stat().st_size for entry in files)
    except (OSError, ValueError):
        return 0


def _source_key(source: dict[str, Any]) -> str:
    """What identifies a source: its address, without credentials and revision."""
    return str(source.get("url") or source.get("uri") or source.get("repo") or "")


def remove_unpacked(dataset_id: int) -> None:
    """Deletes unpacked files that wait for a review of their layout."""
    for folder in dataset_folder(dataset_id).glob(f"{UNPACKED}-*"):
        shutil.rmtree(folder, ignore_errors=True)


def remove_folder(dataset_id: int) -> None:
    """Deletes all files of the dataset, if there are any."""
    for folder in (dataset_folder(dataset_id), *fetch_folders(dataset_id)):
        shutil.rmtree(folder, ignore_errors=True)


def is_system_file(name: str) -> bool:
    """Whether it is a file that operating systems create by themselves in folders."""
    parts = name.split("/")
    return "__MACOSX" in parts or parts[-1].lower() in _SYSTEM_FILES or parts[-1].startswith("._")


def unused_path(path: Path) -> Path:
    """`path`, or the same with a number before its ending where the file exists: two zips may use the same names."""
    number, candidate = 2, path
    while candidate.exists():
        candidate, number = path.with_name(f"{path.stem} ({number}){path.suffix}"), number + 1
    return candidate


def list_files(folder: Path) -> list[str]:
    """The names of the files below a folder, relative to it; links are left out."""
    files, start = [], len(str(folder)) + 1
    for parent, _, names in os.walk(folder):
        prefix = f"{parent[start:]}/" if len(parent) >= start else ""
        files += [prefix + name for name in names if not os.path.islink(f"{parent}/{name}")]
    return files
