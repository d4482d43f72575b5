"""Class folders: a clip's folder is its class; folders named train, val or test above it are splits."""

from orchestrator.domain.annotations import Annotations
from orchestrator.domain.datasets import Split
from orchestrator.services.datasets.ingest.layouts.annotation_texts import limit_problem
from orchestrator.services.datasets.ingest.layouts.entry import DetectedLayout, Entry
from orchestrator.services.datasets.ingest.layouts.splits import is_split_folder, splits_by_folder
from orchestrator.services.datasets.ingest.layouts.tree import Tree
from orchestrator.services.datasets.usable import folder_label

_LEVEL_NAMES = {1: "the folder's name", 2: "the name of the folder above"}


def read(tree: Tree, level: int = 1) -> DetectedLayout:
    """Takes label and split of each video from its folders; never fails, so that it is tried last.

    Args:
        level: which folder is the class: 1 for the clip's own, 2 for the one above it.
    """
    splits = splits_by_folder(tree.videos)
    own = {name for name in tree.videos if level == 1 and _is_in_split_folder(name, splits)}
    # Below a split's folder the class may be the folder above: cat/train/0.mp4.
    classes_above = len({folder_label(name, 2) for name in own}) > 1
    entries = []
    for name in tree.videos:
        label = (folder_label(name, 2) if classes_above else "") if name in own else folder_label(name, level)
        annotations = Annotations((label,) if label else ())
        problem = limit_problem(name, name, annotations)
        entries.append(Entry(name, annotations, split=splits.get(name, Split.AUTO), problem=problem))
    title = "Class folders, already split" if splits else "Class folders"
    columns = {"label": _LEVEL_NAMES.get(level, f"the folder {level} above the clip")}
    outside = [name for name in tree.videos if splits and name not in splits]
    return DetectedLayout("folders", title, entries, columns=columns, notes=_outside_notes(outside))


def _is_in_split_folder(name: str, splits: dict[str, Split]) -> bool:
    """Whether the clip's own folder is its split, and no class."""
    folders = name.split("/")[:-1]
    return name in splits and is_split_folder(folders[-1]) and not any(is_split_folder(part) for part in folders[:-1])


def _outside_notes(outside: list[str]) -> list[str]:
    if not outside:
        return []
    clips = "1 clip is" if len(outside) == 1 else f"{len(outside):,} clips are"
    return [f"{clips} outside the folders of the splits, and may be used for training or validation: {outside[0]}"]
