"""OpenAI-style messages whose content is a list of parts, one of them a video."""

from typing import Any

from orchestrator.services.datasets.ingest.layouts.conversations import ConversationReader, path_of, turns_of
from orchestrator.services.datasets.ingest.layouts.entry import DetectedLayout
from orchestrator.services.datasets.ingest.layouts.gathering import EntryCollector
from orchestrator.services.datasets.ingest.layouts.splits import split_in
from orchestrator.services.datasets.ingest.layouts.tree import Tree


def read(tree: Tree) -> DetectedLayout | None:
    """Reads rows with `messages` whose content has a part of type video or video_url."""
    collected, talks = EntryCollector(tree, "openai", "OpenAI-style messages"), ConversationReader()
    for file in tree.json_files():
        for row in collected.rows(file):
            conversation = turns_of(row)
            video = _video(conversation)
            if not video:
                continue
            collected.add_source(file)
            conversations = talks.read(conversation)
            collected.add(video, file, labels=row.get("label"), conversations=conversations, split=split_in(file))
    columns = {"video": "content: video", "caption": "the answers", "question": "the questions"}
    return collected.done(columns, talks.notes())


def _video(conversation: Any) -> Any:
    """The path of the first video part."""
    for turn in conversation if isinstance(conversation, list) else []:
        content = turn.get("content") if isinstance(turn, dict) else None
        for part in content if isinstance(content, list) else []:
            if isinstance(part, dict) and str(part.get("type", "")).startswith("video"):
                return path_of(part)
    return None
