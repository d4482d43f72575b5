"""OpenAI-style messages whose content is a list of parts, one of them a video."""

from typing import Any

from orchestrator.services.datasets.ingest.layouts.chat_rows import add_chat
from orchestrator.services.datasets.ingest.layouts.conversations import ConversationReader, path_of, turns_of
from orchestrator.services.datasets.ingest.layouts.entry import DetectedLayout
from orchestrator.services.datasets.ingest.layouts.gathering import EntryCollector
from orchestrator.services.datasets.ingest.layouts.tree import Tree


def read(tree: Tree) -> DetectedLayout | None:
    """Reads rows with `messages` whose content has a part of type video or video_url."""
    collected, talks = EntryCollector(tree, "openai", "OpenAI-style messages"), ConversationReader()
    with_others = 0
    for file in tree.json_files():
        for row in collected.rows(file):
            conversation = turns_of(row)
            videos, others = _parts(conversation)
            if not videos:
                continue
            collected.add_source(file)
            with_others += bool(others) and len(videos) == 1
            add_chat(collected, file, row, videos, talks.read(conversation))
    columns = {"video": "content: video", "caption": "the answers", "question": "the questions"}
    rows = "1 row has" if with_others == 1 else f"{with_others:,} rows have"
    notes = [f"{rows} pictures or sound beside the film, which are not used."] if with_others else []
    return collected.done(columns, [*talks.notes(), *notes])


def _parts(conversation: Any) -> tuple[list[Any], list[str]]:
    """(the paths of the video parts, the types of pictures and sound that are parts too)."""
    videos: list[Any] = []
    others: list[str] = []
    for turn in conversation if isinstance(conversation, list) else []:
        content = turn.get("content") if isinstance(turn, dict) else None
        for part in content if isinstance(content, list) else []:
            kind = str(part.get("type", "")) if isinstance(part, dict) else ""
            if kind.startswith("video") and (path := path_of(part)):
                videos.append(path)
            elif kind.startswith(("image", "audio", "input_audio")):
                others.append(kind)
    return videos, others
