"""LLaMA-Factory's ShareGPT files: conversations with `videos`, described by `dataset_info.json` or by themselves."""

from pathlib import PurePosixPath
from typing import Any

from orchestrator.services.datasets.ingest.layouts.chat_rows import add_chat
from orchestrator.services.datasets.ingest.layouts.conversations import ConversationReader, turns_of, videos_of
from orchestrator.services.datasets.ingest.layouts.entry import DetectedLayout
from orchestrator.services.datasets.ingest.layouts.gathering import EntryCollector
from orchestrator.services.datasets.ingest.layouts.tree import Tree

INFO = "dataset_info.json"


def read(tree: Tree) -> DetectedLayout | None:
    """Reads files with conversations and `videos`; `dataset_info.json` may name the columns and tags."""
    collected, talks = EntryCollector(tree, "sharegpt", "LLaMA-Factory (ShareGPT)"), ConversationReader()
    infos = _infos(tree, info_files := _info_files(tree))
    turns = "messages"
    used = False
    for file in tree.json_files():
        info = infos.get(PurePosixPath(file).name, {})
        columns, tags = _dict(info.get("columns")), _dict(info.get("tags"))
        turns_key, videos_key = columns.get("messages"), columns.get("videos")
        for row in collected.rows(file):
            conversation = row.get(turns_key) if turns_key else turns_of(row)
            videos = videos_of({"videos": row.get(videos_key)}) if videos_key else row.get("videos") and videos_of(row)
            if not isinstance(conversation, list) or not videos:
                continue
            collected.add_source(file)
            used, turns = True, turns_key or ("messages" if "messages" in row else "conversations")
            conversations = talks.read(
                conversation,
                tags.get("role_tag", "role"),
                tags.get("content_tag", "content"),
                row.get(columns.get("system") or "system"),
            )
            add_chat(collected, file, row, videos, conversations)
    for file in info_files if used else []:
        collected.add_source(file)
    return collected.done(
        {"video": "videos", "caption": f"{turns}: the answers", "question": f"{turns}: the questions"}, talks.notes()
    )


def _info_files(tree: Tree) -> list[str]:
    return [name for name in tree.names if PurePosixPath(name).name == INFO]


def _infos(tree: Tree, files: list[str]) -> dict[str, dict[str, Any]]:
    """The entries of `dataset_info.json` by file name."""
    infos: dict[str, dict[str, Any]] = {}
    for file in files:
        for info in _dict(tree.json(file)).values():
            if isinstance(info, dict) and info.get("file_name"):
                infos[PurePosixPath(str(info["file_name"])).name] = info
    return infos


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
