"""WebDataset shards: files with the same prefix belong together, a clip with its .json, .cls or .txt."""

from typing import Any

from orchestrator.services.datasets.ingest.layouts.beside import companion, companion_keys
from orchestrator.services.datasets.ingest.layouts.entry import DetectedLayout
from orchestrator.services.datasets.ingest.layouts.gathering import EntryCollector
from orchestrator.services.datasets.ingest.layouts.tree import Tree, Unreadable

_CAPTION, _LABEL = ("caption", "text", "sentence", "description"), ("label", "class", "category", "cls")


def read(tree: Tree) -> DetectedLayout | None:
    """Reads uploads in which most clips have a .json or a .cls of the same name."""
    names, keys = set(tree.names), companion_keys(tree.videos)
    collected, columns = EntryCollector(tree, "webdataset", "WebDataset (shards)"), {}
    annotated = [name for name in tree.videos if companion(keys[name], (".cls", ".json"), names)]
    if len(annotated) * 2 <= len(tree.videos) or not annotated:
        return None
    for name in tree.videos:
        record: Any = {}
        if file := companion(keys[name], (".json",), names):
            collected.add_source(file)
            record = tree.json(file)
            record = record if isinstance(record, dict) else {}
        label = _text(tree, collected, companion(keys[name], (".cls",), names)) or _first(record, _LABEL)
        caption = _text(tree, collected, companion(keys[name], (".txt",), names)) or _first(record, _CAPTION)
        columns |= {"label": ".cls or .json"} if label else {}
        columns |= {"caption": ".txt or .json"} if caption else {}
        collected.add(name, "", labels=label, captions=caption)
    return collected.done(columns)


def _text(tree: Tree, collected: EntryCollector, name: str) -> str:
    if not name:
        return ""
    collected.add_source(name)
    try:
        return tree.text(name).strip()
    except Unreadable:
        return ""


def _first(record: dict[str, Any], keys: tuple[str, ...]) -> Any:
    return next((record[key] for key in keys if record.get(key) not in (None, "")), "")
