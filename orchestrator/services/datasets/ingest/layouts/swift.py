"""ms-swift's JSON lines: `messages` (or `query` and `response`) with `videos` or `video`, and a `label` to classify."""

from typing import Any

from orchestrator.services.datasets.files import ending_of
from orchestrator.services.datasets.ingest.layouts.chat_rows import add_chat
from orchestrator.services.datasets.ingest.layouts.conversations import ConversationReader, turns_of, videos_of
from orchestrator.services.datasets.ingest.layouts.entry import DetectedLayout
from orchestrator.services.datasets.ingest.layouts.gathering import EntryCollector
from orchestrator.services.datasets.ingest.layouts.rows import Row
from orchestrator.services.datasets.ingest.layouts.tree import Tree


def read(tree: Tree) -> DetectedLayout | None:
    """Reads JSON lines that name videos and a conversation, a query, or a label."""
    collected, talks = EntryCollector(tree, "swift", "ms-swift (JSON lines)"), ConversationReader()
    labelled = False
    for file in tree.json_files():
        lines = ending_of(file) != ".json"
        for row in collected.rows(file):
            conversation, videos = turns_of(row), videos_of(row)
            has_turns = lines and isinstance(conversation, list)  # in a .json file it is read as ShareGPT or LLaVA
            if not videos or not (has_turns or "response" in row or "query" in row):
                continue
            collected.add_source(file)
            labelled = labelled or row.get("label") is not None
            conversations = talks.read(conversation or _query_turns(row), system=row.get("system"))
            add_chat(collected, file, row, videos, conversations)
    columns = {"video": "videos", "caption": "messages: the answers", "question": "messages: the questions"}
    return collected.done(columns | ({"label": "label"} if labelled else {}), talks.notes())


def _query_turns(row: Row) -> list[dict[str, Any]]:
    """The turns of a row with `query` and `response`, after the pairs of `history`."""
    history = row.get("history")
    pairs = [pair for pair in history if isinstance(pair, list) and len(pair) == 2] if isinstance(history, list) else []
    return [
        {"role": role, "content": text}
        for pair in [*pairs, (row.get("query"), row.get("response"))]
        for role, text in zip(("user", "assistant"), pair, strict=True)
    ]
