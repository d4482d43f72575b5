"""WebDataset shards: files with the same prefix belong together, a clip with its .json, .cls or .txt."""

from pathlib import PurePosixPath
from typing import Any

from orchestrator.services.datasets.ingest.layouts.entry import DetectedLayout
from orchestrator.services.datasets.ingest.layouts.gathering import EntryCollector
from orchestrator.services.datasets.ingest.layouts.tree import Tree, Unreadable

_CAPTION, _LABEL = ("caption", "text", "sentence", "description"), ("label", "class", "category", "cls")


def read(tree: Tree) -> DetectedLayout | None:
    """Reads uploads in which most clips have a .json or a .cls of the same name."""
    names = set(tree.names)
    collected, columns = EntryCollector(tree, "webdataset", "WebDataset (shards)"), {}
    annotated = [name for name in tree.videos if {_key(name) + ".cls", _key(name) + ".json"} & names]
    if len(annotated) * 2 <= len(tree.videos) or not annotated:
        return None
    for name in tree.videos:
        key = _key(name)
        record: Any = {}
        if key + ".json" in names:
            collected.add_source(key + ".json")
            record = tree.json(key + ".json")
            record = record if isinstance(record, dict) else {}
        label = _text(tree, collected, key + ".cls", names) or _first(record, _LABEL)
        caption = _text(tree, collected, key + ".txt", names) or _first(record, _CAPTION)
        columns |= {"label": ".cls or .json"} if label else {}
        columns |= {"caption": ".txt or .json"} if caption else {}
        collected.add(name, "", label, caption)
    return collected.done(columns)


def _key(name: str) -> str:
    """The path up to the first dot of the file's name."""
    path = PurePosixPath(name)
    return (path.parent / path.name.partition(".")[0]).as_posix()


def _text(tree: Tree, collected: EntryCollector, name: str, names: set[str]) -> str:
    if name not in names:
        return ""
    collected.add_source(name)
    try:
        return tree.text(name).strip()
    except Unreadable:
        return ""


def _first(record: dict[str, Any], keys: tuple[str, ...]) -> Any:
    return next((record[key] for key in keys if record.get(key) not in (None, "")), "")
