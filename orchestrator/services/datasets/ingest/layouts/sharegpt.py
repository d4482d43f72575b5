"""LLaMA-Factory's ShareGPT files: conversations with `videos`, described by `dataset_info.json` or by themselves."""

from pathlib import PurePosixPath
from typing import Any

from orchestrator.services.datasets.ingest.layouts.conversations import MANY_TURNS, exchange, turns_of, videos_of
from orchestrator.services.datasets.ingest.layouts.entry import Understood
from orchestrator.services.datasets.ingest.layouts.gathering import Gathering
from orchestrator.services.datasets.ingest.layouts.splits import split_in
from orchestrator.services.datasets.ingest.layouts.tree import Tree

INFO = "dataset_info.json"


def read(tree: Tree) -> Understood | None:
    """Reads every file that holds conversations with `videos`; columns and tags as `dataset_info.json` says."""
    found, told = Gathering(tree, "sharegpt", "LLaMA-Factory (ShareGPT)"), _infos(tree, infos := _info_files(tree))
    turns = "messages"
    several = used = False
    for file in tree.texts(".json", ".jsonl"):
        info = told.get(PurePosixPath(file).name, {})
        columns, tags = _dict(info.get("columns")), _dict(info.get("tags"))
        turns_key, videos_key = columns.get("messages"), columns.get("videos")
        for row in tree.rows(file):
            talk = row.get(turns_key) if turns_key else turns_of(row)
            videos = videos_of({"videos": row.get(videos_key)}) if videos_key else row.get("videos") and videos_of(row)
            if not isinstance(talk, list) or not videos:
                continue
            found.read(file)
            used, turns = True, turns_key or ("messages" if "messages" in row else "conversations")
            question, answer, answers = exchange(talk, tags.get("role_tag", "role"), tags.get("content_tag", "content"))
            several = several or answers > 1
            found.add(videos[0], file, row.get("label"), answer, question, split_in(file))
    for file in infos if used else []:
        found.read(file)
    return found.done(
        {"video": "videos", "caption": f"{turns}: the first answer", "prompt": f"{turns}: the first question"},
        [MANY_TURNS] if several else [],
    )


def _info_files(tree: Tree) -> list[str]:
    return [name for name in tree.names if PurePosixPath(name).name == INFO]


def _infos(tree: Tree, files: list[str]) -> dict[str, dict[str, Any]]:
    """What `dataset_info.json` says of each file, by the file's name."""
    told: dict[str, dict[str, Any]] = {}
    for file in files:
        for info in _dict(tree.json(file)).values():
            if isinstance(info, dict) and info.get("file_name"):
                told[PurePosixPath(str(info["file_name"])).name] = info
    return told


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
