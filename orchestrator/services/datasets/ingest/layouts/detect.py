"""Finds out how an upload is laid out, by its content: the first layout that finds its clips wins."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import PurePosixPath

import structlog

from orchestrator.domain.datasets import Split
from orchestrator.domain.errors import Invalid
from orchestrator.services.datasets.ingest.layouts import (
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
from orchestrator.services.datasets.ingest.layouts.entry import Entry, Understood
from orchestrator.services.datasets.ingest.layouts.reading import Reading
from orchestrator.services.datasets.ingest.layouts.tree import Tree

log = structlog.get_logger()
Reader = Callable[[Tree], Understood | None]
# Those with the plainest marks first; a bare table with any file column is asked only after its relatives.
LAYOUTS: dict[str, tuple[str, Reader]] = {
    "openai": ("OpenAI-style messages", openai_chat.read),
    "swift": ("ms-swift (JSON lines)", swift.read),
    "sharegpt": ("LLaMA-Factory (ShareGPT)", sharegpt.read),
    "llava": ("LLaVA and Qwen (JSON)", llava.read),
    "something": ("Something-Something v2", something.read),
    "msrvtt": ("MSR-VTT", msrvtt.read),
    "vatex": ("VATEX", vatex.read),
    "kinetics": ("Kinetics (CSV)", kinetics.read),
    "webvid": ("WebVid (CSV)", webvid.read),
    "ucf101": ("UCF101 (lists)", ucf101.read),
    "webdataset": ("WebDataset (shards)", webdataset.read),
    "videofolder": ("A table with a line for each clip", videofolder.read),
    "mmaction": ("Path and label lists (mmaction, VideoMAE)", mmaction.read),
    "sidecars": ("Captions beside the clips", sidecars.read),
    "folders": ("Class folders", folders.read),
}
_ABOUT = frozenset({"readme", "license", "licence", "copying", "changelog", "citation", "authors", ".gitattributes"})


def understand(tree: Tree, reading: Reading | None = None) -> Understood:
    """Reads the upload, as somebody says or as its content tells.

    Files that neither are clips nor describe any are entries with a problem.

    Raises:
        Invalid: it cannot be read in the way that was asked for.
    """
    reading = reading or Reading()
    found = _wished(tree, reading) if reading.layout else _detected(tree)
    if reading.ignore_splits:
        found = replace(found, entries=[replace(entry, split=Split.AUTO) for entry in found.entries])
    known = {entry.name for entry in found.entries} | set(found.files)
    others = [name for name in tree.names if name not in known and not _is_about(name)]
    strays = [Entry(name, problem=f"{PurePosixPath(name).name} is not a video.") for name in others]
    notes = list(dict.fromkeys([*found.notes, *tree.complaints, *_guesses(tree, found.files)]))
    return Understood(found.key, found.title, found.entries + strays, found.files, found.columns, notes)


def _detected(tree: Tree) -> Understood:
    readers = (reader for _, reader in LAYOUTS.values())
    return next((seen for reader in readers if (seen := _try(reader, tree)) is not None), None) or folders.read(tree)


def _wished(tree: Tree, reading: Reading) -> Understood:
    if reading.layout == "folders":
        return folders.read(tree, reading.level)
    title, reader = LAYOUTS[reading.layout]
    if reading.layout == "videofolder":
        reader = partial(videofolder.read, wished=reading.columns)
    if (seen := _try(reader, tree)) is None:
        why = f" {tree.complaints[-1]}" if tree.complaints else ""
        raise Invalid(f"The files cannot be read as: {title}.{why} Choose another layout.", "layout")
    return seen


def _try(layout: Reader, tree: Tree) -> Understood | None:
    """One layout's reading; a shape that nobody thought of is logged and left to the other layouts."""
    try:
        return layout(tree)
    except (TypeError, AttributeError, LookupError, ValueError):
        log.exception("layout_failed", layout=layout.__module__)
        return None


def _guesses(tree: Tree, files: list[str]) -> list[str]:
    """What was read although nobody can be sure of its letters."""
    used = [PurePosixPath(name).name for name in tree.guessed if name in files]
    if not used:
        return []
    which = f"{used[0]} is" if len(used) == 1 else f"{len(used):,} files are"
    first = "" if len(used) == 1 else f" (the first is {used[0]})"
    return [f"{which} not UTF-8{first}: read as Windows-1252. If letters look wrong, save as UTF-8 and add it again."]


def _is_about(name: str) -> bool:
    """A file for people: a readme or a licence."""
    return PurePosixPath(name).stem.lower() in _ABOUT
