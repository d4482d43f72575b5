"""Class folders: a clip's folder is its class; folders named train, val or test above it are splits."""

from pathlib import PurePosixPath

from orchestrator.domain.datasets import Split
from orchestrator.services.datasets.ingest.layouts.entry import LABEL_LIMIT, DetectedLayout, Entry
from orchestrator.services.datasets.ingest.layouts.splits import SPLITS
from orchestrator.services.datasets.ingest.layouts.tree import Tree
from orchestrator.services.datasets.text_repair import normalize_text

_LEVEL_NAMES = {1: "the folder's name", 2: "the name of the folder above"}


def read(tree: Tree, level: int = 1) -> DetectedLayout:
    """Takes label and split of each video from its folders; never fails, so that it is tried last.

    Args:
        level: which folder is the class: 1 for the clip's own, 2 for the one above it.
    """
    videos = [PurePosixPath(name) for name in tree.videos]
    # A folder named "test" is a split only where it contains class folders.
    in_split = [p for p in videos if any(part.lower() in SPLITS for part in p.parts[:-2])]
    splits = len(in_split) == len(videos) and bool(videos)
    entries = [
        Entry(path.as_posix(), label=class_of(path.as_posix(), level), split=_split(path, splits)) for path in videos
    ]
    title = "Class folders, already split" if splits else "Class folders"
    return DetectedLayout(
        "folders", title, entries, columns={"label": _LEVEL_NAMES.get(level, f"the folder {level} above the clip")}
    )


def class_of(name: str, level: int = 1) -> str:
    """The name of a clip's folder, or of one above it; "" where there is none."""
    parts = PurePosixPath(name).parts
    return normalize_text(parts[-1 - level]).strip()[:LABEL_LIMIT] if len(parts) > level else ""


def _split(path: PurePosixPath, splits: bool) -> Split:
    names = [SPLITS[part.lower()] for part in path.parts[:-2] if part.lower() in SPLITS] if splits else []
    return names[-1] if names else Split.AUTO
