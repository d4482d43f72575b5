"""Reads what people mean by their folders: class/clip.mp4, split/class/clip.mp4, clip.mp4 beside clip.txt."""

from dataclasses import dataclass
from pathlib import PurePosixPath

from orchestrator.domain.datasets import Split
from orchestrator.services.datasets.files import VIDEO_ENDINGS

_SPLITS = {
    "train": Split.TRAIN,
    "training": Split.TRAIN,
    "val": Split.VALIDATION,
    "valid": Split.VALIDATION,
    "validation": Split.VALIDATION,
    "test": Split.VALIDATION,
    "testing": Split.VALIDATION,
}


@dataclass(frozen=True, slots=True)
class Placed:
    """One file and what its place says about it."""

    name: str
    """Path inside the upload."""
    label: str
    split: Split
    is_video: bool


def place(names: list[str]) -> list[Placed]:
    """Finds label and split of each file, in the order of their names.

    The folder a clip lies in is its class; folders called train, val or test further up say its split.
    """
    videos = [PurePosixPath(name) for name in sorted(names) if _is_video(name)]
    # A folder called "test" is a split only where classes lie inside it.
    marked = {p for p in videos if any(part.lower() in _SPLITS for part in p.parts[:-2])}
    splits = len(marked) == len(videos) and bool(videos)
    return [_place(PurePosixPath(name), splits) for name in sorted(names)]


def _place(path: PurePosixPath, splits: bool) -> Placed:
    label = path.parts[-2] if len(path.parts) > 1 else ""
    split = Split.AUTO
    if splits:
        found = [_SPLITS[part.lower()] for part in path.parts[:-2] if part.lower() in _SPLITS]
        split = found[-1] if found else Split.AUTO
    return Placed(path.as_posix(), label[:200], split, _is_video(path.name))


def _is_video(name: str) -> bool:
    return PurePosixPath(name).suffix.lower() in VIDEO_ENDINGS
