"""Finds out how an upload is laid out, by its content: the first layout that finds its clips wins."""

from collections.abc import Callable
from pathlib import PurePosixPath

import structlog

from orchestrator.services.datasets.layouts import (
    folders,
    kinetics,
    llava,
    mmaction,
    msrvtt,
    openai_chat,
    sharegpt,
    sidecars,
    something,
    swift,
    ucf101,
    vatex,
    videofolder,
    webdataset,
    webvid,
)
from orchestrator.services.datasets.layouts.entry import Entry, Understood
from orchestrator.services.datasets.layouts.tree import Tree

log = structlog.get_logger()
Reader = Callable[[Tree], Understood | None]
# Those with the plainest marks first; a bare table with any file column is asked only after its relatives.
LAYOUTS: tuple[Reader, ...] = (
    openai_chat.read,
    swift.read,
    sharegpt.read,
    llava.read,
    something.read,
    msrvtt.read,
    vatex.read,
    kinetics.read,
    webvid.read,
    ucf101.read,
    webdataset.read,
    videofolder.read,
    mmaction.read,
    sidecars.read,
)
_ABOUT = frozenset({"readme", "license", "licence", "copying", "changelog", "citation", "authors", ".gitattributes"})


def understand(tree: Tree) -> Understood:
    """Reads the upload; files that neither are clips nor describe any are entries with a problem."""
    for name in tree.names:
        if name.lower().endswith(".parquet"):
            short = PurePosixPath(name).name
            tree.complaints.append(f"{short} cannot be read here. Save it as {PurePosixPath(name).stem}.csv or .jsonl.")
    found = next((seen for layout in LAYOUTS if (seen := _try(layout, tree)) is not None), None) or folders.read(tree)
    known = {entry.name for entry in found.entries} | set(found.files)
    others = [name for name in tree.names if name not in known and not _is_about(name)]
    strays = [Entry(name, problem=f"{PurePosixPath(name).name} is not a video.") for name in others]
    notes = list(dict.fromkeys([*found.notes, *tree.complaints]))
    return Understood(found.key, found.title, found.entries + strays, found.files, found.columns, notes)


def _try(layout: Reader, tree: Tree) -> Understood | None:
    """One layout's reading; a shape that nobody thought of is logged and left to the other layouts."""
    try:
        return layout(tree)
    except (TypeError, AttributeError, LookupError, ValueError):
        log.exception("layout_failed", layout=layout.__module__)
        return None


def _is_about(name: str) -> bool:
    """A file for people: a readme or a licence."""
    return PurePosixPath(name).stem.lower() in _ABOUT
