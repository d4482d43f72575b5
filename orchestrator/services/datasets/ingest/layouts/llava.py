"""LLaVA's and Qwen's JSON: one `video` and `conversations` from human and gpt."""

from orchestrator.services.datasets.ingest.layouts.chat_rows import add_chat
from orchestrator.services.datasets.ingest.layouts.conversations import ConversationReader, turns_of, videos_of
from orchestrator.services.datasets.ingest.layouts.entry import DetectedLayout
from orchestrator.services.datasets.ingest.layouts.gathering import EntryCollector
from orchestrator.services.datasets.ingest.layouts.tree import Tree


def read(tree: Tree) -> DetectedLayout | None:
    """Reads lists whose rows hold `video` and a conversation."""
    collected, talks = EntryCollector(tree, "llava", "LLaVA and Qwen (JSON)"), ConversationReader()
    for file in tree.json_files():
        for row in collected.rows(file):
            conversation = turns_of(row)
            if not isinstance(conversation, list) or not row.get("video"):
                continue
            collected.add_source(file)
            conversations = talks.read(conversation, system=row.get("system"))
            add_chat(collected, file, row, videos_of(row), conversations)
    columns = {"video": "video", "caption": "conversations: the answers", "question": "conversations: the questions"}
    return collected.done(columns, talks.notes())
