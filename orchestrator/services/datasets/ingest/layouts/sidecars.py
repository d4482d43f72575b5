"""Captions in text files beside their clips: a.mp4 and a.txt."""

from pathlib import PurePosixPath

from orchestrator.services.datasets.ingest.layouts.entry import CAPTION_LIMIT, Entry, Understood
from orchestrator.services.datasets.ingest.layouts.folders import read as read_folders
from orchestrator.services.datasets.ingest.layouts.gathering import plain
from orchestrator.services.datasets.ingest.layouts.tree import Tree, Unreadable

_ENDINGS = (".txt", ".caption")


def read(tree: Tree) -> Understood | None:
    """Reads the text of each file that has a clip's name; label and split come from the folders."""
    there, files, entries = set(tree.names), [], []
    by_place = {entry.name: entry for entry in read_folders(tree).entries}
    for name in tree.videos:
        stem = PurePosixPath(name).with_suffix("").as_posix()
        beside = next((stem + ending for ending in _ENDINGS if stem + ending in there), "")
        caption = ""
        if beside:
            files.append(beside)
            try:
                caption = plain(tree.text(beside), CAPTION_LIMIT)
            except Unreadable as error:
                tree.complaints.append(str(error))
        place = by_place[name]
        entries.append(Entry(name, place.label, caption, split=place.split))
    if not files:
        return None
    columns = {"caption": "the text file beside the clip", "label": "the folder's name"}
    return Understood("sidecars", "Captions beside the clips", entries, files, columns)
