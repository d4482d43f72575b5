"""Captions in text files with the names of their clips: a.mp4 and a.txt."""

from pathlib import PurePosixPath

from orchestrator.services.datasets.ingest.layouts.entry import CAPTION_LIMIT, DetectedLayout, Entry
from orchestrator.services.datasets.ingest.layouts.folders import read as read_folders
from orchestrator.services.datasets.ingest.layouts.gathering import plain
from orchestrator.services.datasets.ingest.layouts.tree import Tree, Unreadable

_ENDINGS = (".txt", ".caption")


def read(tree: Tree) -> DetectedLayout | None:
    """Reads text files that have the name of a clip; label and split come from the folders."""
    names, files, entries = set(tree.names), [], []
    from_folders = {entry.name: entry for entry in read_folders(tree).entries}
    for name in tree.videos:
        stem = PurePosixPath(name).with_suffix("").as_posix()
        sidecar = next((stem + ending for ending in _ENDINGS if stem + ending in names), "")
        caption = ""
        if sidecar:
            files.append(sidecar)
            try:
                caption = plain(tree.text(sidecar), CAPTION_LIMIT)
            except Unreadable as error:
                tree.problems.append(str(error))
        by_folder = from_folders[name]
        entries.append(Entry(name, by_folder.label, caption, split=by_folder.split))
    if not files:
        return None
    columns = {"caption": "the text file next to the clip", "label": "the folder's name"}
    return DetectedLayout("sidecars", "Captions next to the clips", entries, files, columns)
