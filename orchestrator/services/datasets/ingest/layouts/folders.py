"""Class folders: the folder a clip lies in is its class; train, val or test further up say its split."""

from pathlib import PurePosixPath

from orchestrator.domain.datasets import Split
from orchestrator.services.datasets.ingest.layouts.entry import LABEL_LIMIT, Entry, Understood
from orchestrator.services.datasets.ingest.layouts.splits import SPLITS
from orchestrator.services.datasets.ingest.layouts.tree import Tree
from orchestrator.services.datasets.text_repair import as_seen

_WHERE = {1: "the folder's name", 2: "the name of the folder above"}


def read(tree: Tree, level: int = 1) -> Understood:
    """Label and split of each video by its place; never fails, so it is the last layout tried.

    Args:
        level: which folder is the class: 1 is the one a clip lies in, 2 the one above that.
    """
    videos = [PurePosixPath(name) for name in tree.videos]
    # A folder called "test" is a split only where classes lie inside it.
    marked = [p for p in videos if any(part.lower() in SPLITS for part in p.parts[:-2])]
    splits = len(marked) == len(videos) and bool(videos)
    entries = [
        Entry(path.as_posix(), label=class_of(path.as_posix(), level), split=_split(path, splits)) for path in videos
    ]
    title = "Class folders, already split" if splits else "Class folders"
    return Understood(
        "folders", title, entries, columns={"label": _WHERE.get(level, f"the folder {level} above the clip")}
    )


def class_of(name: str, level: int = 1) -> str:
    """The name of the folder a clip lies in, or of one further up; "" where there is none."""
    parts = PurePosixPath(name).parts
    return as_seen(parts[-1 - level]).strip()[:LABEL_LIMIT] if len(parts) > level else ""


def _split(path: PurePosixPath, splits: bool) -> Split:
    found = [SPLITS[part.lower()] for part in path.parts[:-2] if part.lower() in SPLITS] if splits else []
    return found[-1] if found else Split.AUTO
