"""WebDataset shards: files of one prefix belong together, the clip with its .json, .cls or .txt."""

from pathlib import PurePosixPath
from typing import Any

from orchestrator.services.datasets.ingest.layouts.entry import Understood
from orchestrator.services.datasets.ingest.layouts.gathering import Gathering
from orchestrator.services.datasets.ingest.layouts.splits import split_in
from orchestrator.services.datasets.ingest.layouts.tree import Tree, Unreadable

_CAPTION, _LABEL = ("caption", "text", "sentence", "description"), ("label", "class", "category", "cls")


def read(tree: Tree) -> Understood | None:
    """Reads uploads in which clips have a .json or a .cls of their own name."""
    there = set(tree.names)
    found, columns = Gathering(tree, "webdataset", "WebDataset (shards)"), {}
    marks = [name for name in tree.videos if {_key(name) + ".cls", _key(name) + ".json"} & there]
    if len(marks) * 2 <= len(tree.videos) or not marks:
        return None
    for name in tree.videos:
        key = _key(name)
        about: Any = {}
        if key + ".json" in there:
            found.read(key + ".json")
            about = tree.json(key + ".json")
            about = about if isinstance(about, dict) else {}
        label = _text(tree, found, key + ".cls", there) or _first(about, _LABEL)
        caption = _text(tree, found, key + ".txt", there) or _first(about, _CAPTION)
        columns |= {"label": ".cls or .json"} if label else {}
        columns |= {"caption": ".txt or .json"} if caption else {}
        found.add(name, name, label, caption, split=split_in(name))
    return found.done(columns)


def _key(name: str) -> str:
    """What stands before the first dot of the file's name, with its folder."""
    path = PurePosixPath(name)
    return (path.parent / path.name.partition(".")[0]).as_posix()


def _text(tree: Tree, found: Gathering, name: str, there: set[str]) -> str:
    if name not in there:
        return ""
    found.read(name)
    try:
        return tree.text(name).strip()
    except Unreadable:
        return ""


def _first(about: dict[str, Any], keys: tuple[str, ...]) -> Any:
    return next((about[key] for key in keys if about.get(key) not in (None, "")), "")
