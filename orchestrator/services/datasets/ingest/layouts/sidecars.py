"""Captions in text files with the names of their clips: a.mp4 and a.txt, a.mp4.txt or captions/a.txt."""

from dataclasses import replace

from orchestrator.services.datasets.ingest.layouts.annotation_texts import limit_problem, plain
from orchestrator.services.datasets.ingest.layouts.beside import companion, companion_keys, in_parallel_folders
from orchestrator.services.datasets.ingest.layouts.entry import DetectedLayout
from orchestrator.services.datasets.ingest.layouts.folders import read as read_folders
from orchestrator.services.datasets.ingest.layouts.tree import Tree, Unreadable

_ENDINGS = (".txt", ".caption")


def read(tree: Tree) -> DetectedLayout | None:
    """Reads text files that have the name of a clip; label and split come from the folders."""
    sidecar_of = _sidecars(tree)
    if not sidecar_of:
        return None
    from_folders = read_folders(tree)
    entries, lines = [], 0
    empty: list[str] = []
    for entry in from_folders.entries:
        caption = ""
        if sidecar := sidecar_of.get(entry.name):
            try:
                caption = plain(tree.text(sidecar))
                empty += [] if caption else [sidecar]
            except Unreadable as error:
                tree.problems.append(str(error))
        lines += "\n" in caption
        annotations = replace(entry.annotations, captions=(caption,) if caption else ())
        if problem := limit_problem(entry.name, sidecar or entry.name, annotations):
            annotations = entry.annotations
        entries.append(replace(entry, annotations=annotations, problem=problem))
    files = list(dict.fromkeys(sidecar_of.values()))
    columns = {"caption": "the text file next to the clip", "label": "the folder's name"}
    notes = [*from_folders.notes, *_line_notes(lines), *_empty_notes(empty)]
    return DetectedLayout("sidecars", "Captions next to the clips", entries, files, columns, notes)


def _empty_notes(empty: list[str]) -> list[str]:
    if not empty:
        return []
    if len(empty) == 1:
        return [f"{empty[0]} is empty, so that its clip has no caption. Write one into it."]
    return [
        f"{len(empty):,} text files are empty (the first is {empty[0]}), so that their clips have no captions. "
        "Write one into each."
    ]


def _line_notes(several: int) -> list[str]:
    """The note about files with several lines: a caption may have lines, and is never split at them."""
    if not several:
        return []
    files = "1 text file has" if several == 1 else f"{several:,} text files have"
    return [f"{files} several lines: each file is one caption with its line ends."]


def _sidecars(tree: Tree) -> dict[str, str]:
    """The text file of each clip: next to it, or for most clips in a folder of texts."""
    names, keys = set(tree.names), companion_keys(tree.videos)
    beside = {name: text for name in tree.videos if (text := companion(keys[name], _ENDINGS, names))}
    used = set(beside.values())
    texts = [name for name in tree.texts(*_ENDINGS) if name not in used]
    parallel = in_parallel_folders([name for name in tree.videos if name not in beside], texts)
    return beside | parallel if 2 * len(parallel) >= len(tree.videos) else beside
